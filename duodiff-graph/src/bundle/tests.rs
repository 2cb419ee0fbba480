//! Bundles written and read; every edit and truncation refused; hostile sections under right hashes refused without a panic.

mod cuda;

use super::sections::Section;
use super::*;
use crate::program::Origin;
use crate::tests::pairs::spec;
use crate::tests::sketch::Sketch;
use crate::tests::uvit::Uvit;
use crate::weights::Tensor;

/// A pair as small as can be: a patch embedding and back.
fn minimal(keep: Keep) -> Bundle {
    let net = || {
        let mut s = Sketch::new("net");
        let image = s.value(&[1, 2, 2], Origin::Image);
        let patches = s.patchify(image, 2);
        let tokens = s.linear(patches, "w", 4, false);
        let out = s.unpatchify(tokens, 2, &[1, 2, 2]);
        s.finish(&[out])
    };
    bundle(spec([1, 2, 2], None), [net(), net()], keep)
}

/// A pair of U-ViTs.
fn uvits(keep: Keep) -> Bundle {
    let uvit = Uvit { classes: Some(3), mlp_time: true, ..Uvit::new([3, 8, 8], 2, 16, 2, 3) };
    bundle(spec([3, 8, 8], Some(3)), [uvit.net("shallow"), Uvit { depth: 5, ..uvit }.net("deep")], keep)
}

fn bundle(spec: crate::spec::PairSpec, nets: [crate::program::Net; 2], keep: Keep) -> Bundle {
    let plan = plan(spec, nets.into_iter().map(|net| (net.clone(), net.cost())).collect()).unwrap();
    let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(5, wanted)).collect();
    Bundle::new(plan, weights, keep)
}

/// The message that refuses `bytes`.
fn refusal(bytes: &[u8]) -> String {
    read(bytes).expect_err("refused").to_string()
}

/// `bundle`'s file with a section replaced, all hashes right.
fn with_section(bundle: &Bundle, index: usize, bytes: Vec<u8>) -> Vec<u8> {
    let file = write(bundle);
    let mut sections = sections::read(&file).unwrap();
    sections[index].bytes = bytes.into();
    sections::write(&sections)
}

#[test]
fn what_is_written_is_read() {
    for bundle in [minimal(Keep::Weights), minimal(Keep::Hashes), uvits(Keep::Weights), uvits(Keep::Hashes)] {
        let file = write(&bundle);
        assert_eq!(read(&file).unwrap(), bundle);
        assert_eq!(write(&bundle.clone()), file);
    }
    let bundle = uvits(Keep::Hashes);
    assert_ne!(plan_hash(&bundle.plan), plan_hash(&minimal(Keep::Hashes).plan));
}

#[test]
fn weights_are_kept_exactly_in_the_smallest_format() {
    let plan = minimal(Keep::Hashes).plan;
    let size = |value: f32| {
        let mut data = vec![0.5; 16];
        data[3] = value;
        let weights = Weights::new([("w.weight".to_owned(), Tensor { shape: vec![4, 4], data })].into());
        let bundle = Bundle::new(plan.clone(), vec![weights.clone(), weights], Keep::Weights);
        let file = write(&bundle);
        assert_eq!(read(&file).unwrap(), bundle);
        file.len()
    };
    let bf16 = size(2.0_f32.powi(100));
    assert_eq!(size(1.0 + 2.0_f32.powi(-10)), bf16, "float16 holds this, bfloat16 does not");
    assert_eq!(size(-0.0), bf16);
    assert_eq!(size(0.1), bf16 + 2 * 2 * 16);
}

#[test]
fn every_edit_of_a_byte_is_refused() {
    let mut file = write(&minimal(Keep::Weights));
    for at in 0..file.len() {
        let byte = file[at];
        for other in (0..=255).filter(|other| *other != byte) {
            file[at] = other;
            assert!(read(&file).is_err(), "byte {at} from {byte} to {other}");
        }
        file[at] = byte;
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let mut file = write(&minimal(Keep::Weights));
    for length in 0..file.len() {
        assert!(read(&file[..length]).is_err(), "{length}");
    }
    file.push(0);
    assert!(refusal(&file).contains("its header says"));
}

#[test]
fn refuses_by_name() {
    let bundle = minimal(Keep::Weights);
    let mut file = write(&bundle);
    assert!(refusal(b"PK\x03\x04").starts_with("this is no duodiff bundle"));
    assert!(refusal(&MAGIC).starts_with("the bundle has 8 bytes, its header says 24"));
    file[8] = 9;
    assert!(refusal(&file).starts_with("the bundle has format version 9, this duodiff reads 2"));
    file[8] = 2;
    file[30] ^= 1;
    assert!(refusal(&file).starts_with("the bundle's header is damaged"));
    file[30] ^= 1;
    let last = file.len() - 1;
    file[last] ^= 1;
    assert!(refusal(&file).starts_with("section 1 (weights) of the bundle is damaged"));
}

#[test]
fn refuses_what_does_not_follow_from_the_rest() {
    let bundle = minimal(Keep::Weights);
    let mut longer = bundle.plan.clone();
    longer.arena += 16;
    assert!(refusal(&with_section(&bundle, 1, encode(&longer))).starts_with("the bundle's plan is not the one"));
    let mut moved = bundle.plan.clone();
    moved.backbones[0].body.places.iter_mut().flatten().for_each(|place| place.offset += 1 << 40);
    assert!(refusal(&with_section(&bundle, 1, encode(&moved))).starts_with("the bundle's plan is not the one"));
    let mut huge = bundle.plan.clone();
    huge.backbones[0].net.body.values[1].shape = vec![1 << 40, 1 << 40];
    assert!(refusal(&with_section(&bundle, 1, encode(&huge))).contains("more than 2^31 elements"));
    let mut phases = bundle.plan.clone();
    phases.spec.phases.pop();
    assert!(refusal(&with_section(&bundle, 1, encode(&phases))).starts_with("the bundle's phases: no phase covers"));
    let mut process = bundle.plan.clone();
    process.spec.process.steps = u32::MAX;
    assert!(refusal(&with_section(&bundle, 1, encode(&process))).starts_with("the bundle's process:"));
    let other = Weights::random(6, &Wanted::all(&bundle.plan)[0]);
    assert!(refusal(&with_section(&bundle, 2, weights::encode(&other))).contains("`shallow` are not those"));
    assert!(refusal(&with_section(&bundle, 2, vec![])).contains("weights is malformed"));
    assert!(refusal(&with_section(&bundle, 1, vec![0; PLAN + 1])).contains("at most 1048576 are read"));
    let mut nan = Weights::random(6, &Wanted::all(&bundle.plan)[0]);
    nan.tensors.get_mut("w.weight").unwrap().data[7] = f32::NAN;
    assert!(refusal(&with_section(&bundle, 2, weights::encode(&nan))).contains("`w.weight` holds NaN at element 7"));
    let file = write(&bundle);
    let mut sections: Vec<Section<'_>> = sections::read(&file).unwrap();
    sections.swap(2, 3);
    assert!(refusal(&sections::write(&sections)).contains("the sections it should have"));
    sections.truncate(3);
    assert!(refusal(&sections::write(&sections)).contains("the sections it should have"));
    assert!(refusal(&sections::write(&[])).contains("the sections it should have"));
}

#[test]
fn edits_under_right_hashes_never_panic() {
    let bundle = uvits(Keep::Hashes);
    let plan = encode(&bundle.plan);
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..4000 {
        let mut edited = plan.clone();
        for _ in 0..=next(3) {
            let at = next(edited.len());
            edited[at] = if next(2) == 0 { next(256) as u8 } else { edited[at].wrapping_add(1) };
        }
        let file = with_section(&bundle, 1, edited);
        if let Ok(read) = read(&file) {
            assert_eq!(write(&read), file);
        }
    }
}
