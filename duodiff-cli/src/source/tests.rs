//! The embedded pair needs no compiler; bundles are believed only with the weights they were made with.

use duodiff::Mnist;
use duodiff::graph::bundle::{Cubin, Cuda, Keep};
use duodiff::graph::launch::{DevicePlan, Precision};
use duodiff::graph::target::Sm;

use super::*;

/// Mnist as declared, but whoever builds it gets caught.
struct Trap;

impl Pair for Trap {
    fn spec(&self) -> PairSpec {
        Mnist.spec()
    }

    #[cfg(feature = "compile")]
    fn build(&self, _: usize) -> duodiff::graph::build::Built {
        panic!("luminal was called")
    }
}

#[test]
fn the_embedded_pair_calls_nothing_of_luminal() {
    let catalog = Catalog(&[&Trap]);
    for name in [None, Some("Mnist")] {
        let ready = Source::choose(catalog, name, None).unwrap().load().unwrap();
        assert_eq!(ready.weights().len(), 2);
        ready.executor(1, 1).unwrap();
    }
    let compiles = || Source::choose(catalog, Some("Mnist"), Some(&WeightsArg::Random(0)));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(compiles)).is_err(), "the trap works");
}

#[test]
#[cfg(feature = "compile")]
fn the_embedded_plan_is_the_declared_one() {
    assert_eq!(Source::built_in(None).plan, compile(&Mnist).unwrap());
}

/// A bundle of Mnist in a file.
fn bundle(folder: &tempfile::TempDir, keep: Keep, change: impl Fn(&mut Bundle)) -> String {
    let Ready { plan, weights } = Source::built_in(None).load().unwrap();
    let mut bundle = Bundle::new(plan, weights, keep);
    change(&mut bundle);
    let path = folder.path().join("x.duo");
    fs::write(&path, bundle::write(&bundle)).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn a_bundle_is_sampled_with_its_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = bundle(&folder, Keep::Weights, |_| ());
    let ready = Source::choose(Catalog(&[]), Some(&path), None).unwrap().load().unwrap();
    let embedded = Source::built_in(None).load().unwrap();
    assert_eq!((ready.plan_hash(), ready.weights()), (embedded.plan_hash(), embedded.weights()));
}

#[test]
fn a_bundle_without_weights_takes_those_it_was_made_with() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["shallow", "deep"].map(|net| format!("{}/../models/weights/mnist.{net}.safetensors", env!("CARGO_MANIFEST_DIR")).into());
    let files = WeightsArg::Files(files.to_vec());
    let path = bundle(&folder, Keep::Hashes, |_| ());
    let choose = |path: &str, weights| Source::choose(Catalog(&[]), Some(path), weights);
    assert_eq!(choose(&path, None).unwrap().load().err().unwrap().exit, Exit::Usage);
    assert!(choose(&path, Some(&files)).unwrap().load().is_ok());
    let path = bundle(&folder, Keep::Hashes, |bundle| bundle.hashes[1][7] ^= 1);
    let refused = choose(&path, Some(&files)).unwrap().load().err().unwrap();
    assert_eq!(refused.exit, Exit::Input);
    assert!(refused.message.contains("mnist.deep.safetensors"), "{}", refused.message);
}

#[test]
fn a_bundle_for_another_machine_is_a_misfit() {
    let folder = tempfile::tempdir().unwrap();
    let path = bundle(&folder, Keep::Weights, |bundle| {
        let modules = DevicePlan::new(&bundle.plan, Precision::F32, Sm::Sm90a).unwrap().modules().unwrap();
        let cubin = |module| Cubin { target: Sm::Sm90a, module, bytes: Vec::new() };
        bundle.targets = vec![Sm::Sm90a.into()];
        bundle.cuda = Some(Cuda { precision: Precision::F32, batches: vec![1], cubins: modules.into_iter().map(cubin).collect() });
    });
    let refused = Source::choose(Catalog(&[]), Some(&path), None).unwrap().place(DeviceArg::Cpu).unwrap_err();
    assert_eq!(refused.exit, Exit::Misfit);
    assert!(refused.message.contains("x.duo is compiled for sm_90a, not for cpu"), "{}", refused.message);
}

#[test]
fn a_damaged_bundle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = bundle(&folder, Keep::Weights, |_| ());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(Source::choose(Catalog(&[]), Some(&path), None).err().unwrap().exit, Exit::Input);
}
