//! The predicted memory is what the driver is asked for.

use duodiff::Pair;
use duodiff::graph::cuda::{Cuda, CudaError, Gpu, Options};
use duodiff::graph::launch::Precision;

use crate::common::dit::Stitched;
use crate::common::pairs::{MlpTime, Odd, Tiny};
use crate::kit::{Kit, driver, sample};

#[test]
fn the_prediction_is_the_peak() {
    let Some((driver, compiler)) = driver() else { return };
    let cases: [(&dyn Pair, Precision, usize, u32); 4] = [
        (&Tiny, Precision::F32, 1, 2),
        (&MlpTime, Precision::F32, 3, 60),
        (&Odd, Precision::Bf16, 2, 7),
        (&Stitched, Precision::F32, 2, 9),
    ];
    for (pair, precision, batch, count) in cases {
        driver.reset(fake_driver::devices::DEFAULT);
        let kit = Kit::new(&compiler, pair, precision);
        let (steps, mut cuda) = (kit.steps(count), kit.cuda(batch));
        let predicted = cuda.memory(&steps).expect("a prediction").total();
        sample(&mut cuda, &steps, &kit.requests(0..batch as u64));
        assert_eq!(driver.peak() as u64, predicted, "{} at {batch}", kit.plan.spec.name);
        drop(cuda);
        assert_eq!(driver.live(), 0, "everything is given back");
    }
}

#[test]
fn too_little_memory_is_refused_before_anything_is_loaded() {
    let Some((driver, compiler)) = driver() else { return };
    driver.reset("13000;Small,9.0,1,1,232448");
    let kit = Kit::new(&compiler, &Tiny, Precision::F32);
    let gpu = Gpu::open(0).expect("a GPU");
    let options = Options { batch: 4096, precision: kit.precision };
    let refused = Cuda::new(gpu, kit.plan, kit.weights, &kit.cubins, options).err();
    assert!(matches!(refused, Some(CudaError::Memory { needed, free }) if needed > 1 << 20 && free == 1 << 20), "{refused:?}");
    assert_eq!(driver.peak(), 0);
}
