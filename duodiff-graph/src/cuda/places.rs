//! From symbolic addresses to addresses on the GPU.

use std::collections::BTreeMap;

use crate::launch::{Address, Element, Region};

/// The parameters of a backbone: where each lies.
pub(super) type Params = BTreeMap<Region, u64>;

/// Where every region starts during one evaluation, or one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub arena: u64,
    pub image: u64,
    pub output: u64,
    pub unconditional: u64,
    pub labels: u64,
    /// As float32.
    pub sinusoid: u64,
    /// As bfloat16.
    pub sinusoid_bf16: u64,
    pub tables: Vec<u64>,
    pub state: u64,
    pub saved: u64,
    pub history: u64,
    pub rows: u64,
    pub step: u64,
    pub indices: u64,
}

impl Places {
    /// An address on the GPU; `params` are those of the backbone that is evaluated.
    pub fn resolve(&self, params: &Params, address: &Address) -> u64 {
        self.start(params, &address.region) + address.offset
    }

    fn start(&self, params: &Params, region: &Region) -> u64 {
        match region {
            Region::Arena => self.arena,
            Region::Param { .. } | Region::Folded(_) => {
                *params.get(region).expect("invariant: every parameter that a launch reads was uploaded")
            }
            Region::Image => self.image,
            Region::Output => self.output,
            Region::Unconditional => self.unconditional,
            Region::Labels => self.labels,
            Region::Sinusoid(Element::F32) => self.sinusoid,
            Region::Sinusoid(Element::Bf16) => self.sinusoid_bf16,
            Region::Table(index) => self.tables[*index],
            Region::State => self.state,
            Region::Saved => self.saved,
            Region::History => self.history,
            Region::Rows => self.rows,
            Region::Step => self.step,
            Region::Indices => self.indices,
        }
    }
}
