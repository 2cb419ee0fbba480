//! The sampler over an executor that records what it is asked for, and over the CPU.

use super::*;
use crate::cpu::{Cpu, Options};
use crate::plan::{Plan, plan};
use crate::process;
use crate::spec::{Classes, PairSpec};
use crate::tests::pairs::spec;
use crate::tests::uvit::Uvit;
use crate::weights::{Wanted, Weights};

/// Gives image i its starting noise, with its index first and its label second.
struct Echo {
    plan: Plan,
    batches: Vec<usize>,
    broken: Option<u64>,
}

impl Executor for Echo {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn batch(&self) -> usize {
        8
    }

    fn forward(&mut self, _: usize, _: &[f32], _: &[f32], _: Option<&[u32]>, _: &mut [f32]) -> Result<(), ExecutorError> {
        unreachable!("a trajectory is asked for")
    }

    fn trajectory(
        &mut self,
        steps: &Steps,
        images: &[Request],
        noise: &dyn Noise,
        watch: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<f32>, ExecutorError> {
        self.batches.push(images.len());
        for done in 1..=steps.rows.len() {
            if watch(done).is_break() {
                return Err(ExecutorError::Stopped { done });
            }
        }
        let elements = self.plan.spec.image.elements();
        let mut out = vec![0.0; images.len() * elements];
        for (image, request) in out.chunks_mut(elements).zip(images) {
            noise.fill(request.index, 0, image);
            image[0] = request.index as f32;
            image[1] = request.label.map_or(-1.0, |label| label as f32);
            if self.broken == Some(request.index) {
                image[2] = f32::NAN;
            }
        }
        Ok(out)
    }
}

fn echo(classes: Option<Classes>) -> Echo {
    let uvit = Uvit { classes: classes.map(|classes| classes.count as usize), ..Uvit::new([1, 4, 4], 2, 8, 2, 1) };
    let spec = PairSpec { classes, ..spec([1, 4, 4], None) };
    let nets = ["shallow", "deep"].map(|name| uvit.net(name));
    let plan = plan(spec, nets.into_iter().map(|net| (net.clone(), net.cost())).collect()).unwrap();
    Echo { plan, batches: Vec::new(), broken: None }
}

fn steps(count: u32) -> Steps {
    Steps::new(&spec([1, 4, 4], None), &process::Settings { steps: Some(count), ..process::Settings::default() }).unwrap()
}

fn images(executor: &mut Echo, settings: Settings) -> Result<Vec<Image>, SamplerError> {
    let steps = steps(2);
    let batches: Result<Vec<_>, _> = Sampler::new(executor, &steps, settings)?.collect();
    batches.map(|batches| batches.concat())
}

#[test]
fn an_image_depends_on_seed_and_index_alone() {
    let mut executor = echo(None);
    let all = images(&mut executor, Settings { images: 0..20, ..Settings::default() }).unwrap();
    assert_eq!(executor.batches, [8, 8, 4]);
    assert!(all.iter().zip(0..).all(|(image, index)| image.index == index && image.data[0] == index as f32));
    for batch in [1, 3, 5] {
        let again = Settings { images: 7..20, batch: Some(batch), ..Settings::default() };
        assert_eq!(images(&mut echo(None), again).unwrap(), all[7..]);
    }
    let other = images(&mut echo(None), Settings { seed: 1, ..Settings::default() }).unwrap();
    assert_ne!(other[0].data[2..], all[0].data[2..]);
}

#[test]
fn classes_are_taken_in_turns_or_drawn() {
    let classes = Some(Classes { count: 5, null: Some(2) });
    let turns = Settings { labels: Labels::Turns(vec![4, 1]), images: 3..6, ..Settings::default() };
    let labels = |settings| images(&mut echo(classes), settings).unwrap().iter().map(|image| image.label).collect::<Vec<_>>();
    assert_eq!(labels(turns), [Some(1), Some(4), Some(1)]);
    let mut drawn = labels(Settings { images: 0..200, ..Settings::default() });
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn, [0, 1, 3, 4].map(Some));
}

#[test]
fn refuses_what_does_not_fit() {
    let conditional = || echo(Some(Classes { count: 5, null: None }));
    let turns = |turns: &[u32]| Settings { labels: Labels::Turns(turns.to_vec()), ..Settings::default() };
    let batch = |batch| Settings { batch: Some(batch), ..Settings::default() };
    let cases = [
        (echo(None), turns(&[0]), "the pair has no classes -- ask for none"),
        (conditional(), turns(&[]), "the list of classes is empty -- name at least one"),
        (conditional(), turns(&[4, 5]), "the pair has no class 5 -- use 0 to 4"),
        (echo(None), batch(0), "batches of 0 were asked for, the executor takes 1 to 8"),
        (echo(None), batch(9), "batches of 9 were asked for, the executor takes 1 to 8"),
    ];
    for (mut executor, settings, message) in cases {
        assert_eq!(images(&mut executor, settings).unwrap_err().to_string(), message);
    }
    let mut broken = Echo { broken: Some(9), ..echo(None) };
    assert_eq!(images(&mut broken, Settings::default()), Err(SamplerError::NotFinite { index: 9 }));
}

#[test]
fn a_run_is_watched_and_stopped() {
    let (mut executor, steps) = (echo(None), steps(3));
    let mut seen = Vec::new();
    let settings = Settings { images: 10..20, ..Settings::default() };
    let sampler = Sampler::new(&mut executor, &steps, settings).unwrap().watch(|progress| {
        seen.push((progress.done, progress.step));
        if progress.done == 8 && progress.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let batches: Vec<_> = sampler.collect();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[1], Err(ExecutorError::Stopped { done: 2 }.into()));
    assert_eq!(seen, [(0, 1), (0, 2), (0, 3), (8, 1), (8, 2)]);
}

#[test]
fn other_noise_can_be_given() {
    struct Ones;
    impl Noise for Ones {
        fn fill(&self, _: u64, _: u32, out: &mut [f32]) {
            out.fill(1.0);
        }
    }
    let (mut executor, steps) = (echo(None), steps(1));
    let mut sampler = Sampler::new(&mut executor, &steps, Settings::default()).unwrap().noise(Ones);
    assert_eq!(sampler.next().unwrap().unwrap()[3].data[2..], [1.0; 14]);
}

#[test]
fn quantizes_as_published() {
    let shape = ImageShape { channels: 2, height: 1, width: 3 };
    let image = Image { index: 0, label: None, shape, data: vec![-1.0, 0.0, 1.0, -9.0, 0.99, 9.0] };
    assert_eq!(image.pixels(Quantize::Trunc).data, [0, 0, 127, 253, 255, 255]);
    assert_eq!(image.pixels(Quantize::Round).data, [0, 0, 128, 254, 255, 255]);
}

#[test]
fn a_grid_puts_images_row_by_row() {
    let image = |value: u8| Pixels { width: 2, height: 1, channels: 1, data: vec![value, value + 10] };
    let grid = Pixels::grid(&[image(1), image(2), image(3)], 2).unwrap();
    assert_eq!((grid.width, grid.height), (4, 2));
    assert_eq!(grid.data, [1, 11, 2, 12, 3, 13, 0, 0]);
    assert_eq!(Pixels::grid(&[image(1)], 4).unwrap(), image(1));
    assert_eq!(Pixels::grid(&[], 4), None);
    assert_eq!(Pixels::grid(&[image(1)], 0), None);
    assert_eq!(Pixels::grid(&[image(1), Pixels { width: 1, height: 2, ..image(1) }], 2), None);
}

#[test]
fn no_batch_thread_or_start_changes_a_bit() {
    let classes = Some(Classes { count: 3, null: Some(2) });
    let uvit = Uvit { classes: Some(3), mlp_time: true, ..Uvit::new([3, 8, 8], 2, 16, 2, 3) };
    let spec = PairSpec { classes, ..spec([3, 8, 8], Some(3)) };
    let nets = [uvit.net("shallow"), Uvit { depth: 5, ..uvit }.net("deep")];
    let plan = plan(spec, nets.into_iter().map(|net| (net.clone(), net.cost())).collect()).unwrap();
    let weights: Vec<_> = Wanted::all(&plan).iter().map(|wanted| Weights::random(3, wanted)).collect();
    let settings = process::Settings { solver: process::Solver::Ddpm, steps: Some(5), guidance: Some(0.4), ..Default::default() };
    let steps = Steps::new(&plan.spec, &settings).unwrap();
    let sample = |batch, threads, images| {
        let mut cpu = Cpu::new(plan.clone(), weights.clone(), Options { batch, threads, isa: None }).unwrap();
        let settings = Settings { seed: 11, images, ..Settings::default() };
        let batches: Result<Vec<_>, _> = Sampler::new(&mut cpu, &steps, settings).unwrap().collect();
        let bits = |image: &Image| (image.label, image.data.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        batches.unwrap().concat().iter().map(bits).collect::<Vec<_>>()
    };
    let reference = sample(1, 1, 0..24);
    assert!(reference.windows(2).all(|pair| pair[0].1 != pair[1].1));
    for batch in [1, 2, 3, 5, 8, 24] {
        for threads in [1, 2] {
            assert!(sample(batch, threads, 0..24) == reference, "batch {batch}, {threads} threads");
            assert!(sample(batch, threads, 13..24) == reference[13..], "batch {batch}, {threads} threads, from the middle");
        }
    }
}
