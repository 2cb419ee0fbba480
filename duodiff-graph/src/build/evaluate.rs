//! Runs a built graph with luminal's own interpreter: the oracle of tests, about 0.7 µs per multiply-add.

use luminal::prelude::Tensor;

use super::{Built, Load};

impl Built {
    /// The output `[batch, …]` for the given inputs and parameters.
    ///
    /// `values` gives for each load its elements: `[batch, …]` for an input, once for a parameter.
    pub fn evaluate(&mut self, batch: usize, mut values: impl FnMut(&Load) -> Vec<f32>) -> Vec<f32> {
        self.graph.set_dyn_dim('b', batch);
        for load in &self.loads {
            self.graph.set_tensor(load.node, 0, Tensor::new(values(load)));
            self.graph.keep_tensors(load.node);
        }
        // A result that is still there from an earlier run would be taken for this one's.
        self.graph.drop_tensors(self.output.0);
        self.graph.execute();
        let tensor = self.graph.get_tensor_ref(self.output.0, 0);
        let data = tensor.and_then(|tensor| tensor.data.as_any().downcast_ref::<Vec<f32>>());
        data.expect("invariant: the output is kept and holds float32").clone()
    }
}
