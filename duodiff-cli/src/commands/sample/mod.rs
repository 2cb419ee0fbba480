//! `duodiff sample`: a run of images into its folder, from the first missing one to the grid.

mod job;
mod trajectory;

use std::path::Path;

use duodiff::graph::executor::Executor;
use duodiff::graph::sampler::Image;
use serde::Serialize;

use crate::args::SampleArgs;
use crate::catalog::Catalog;
use crate::device::{self, Engine, Place};
use crate::error::{Exit, Failure, Result, echo_path};
use crate::image::{self, Text};
use crate::progress::{self, Progress, Verbosity};
use crate::run::{Entry, Recipe, Run};
use crate::source::{self, Source};
use crate::{report, resources, signals};

use job::Job;
use trajectory::{Ended, Pace};

/// A finished image, for JSON.
#[derive(Serialize)]
struct Made {
    kind: &'static str,
    index: u64,
    path: String,
    class: Option<u32>,
}

/// A finished run, for JSON.
#[derive(Serialize)]
struct Summary {
    kind: &'static str,
    folder: String,
    grid: String,
    images: u64,
    made: u64,
    seconds: f64,
}

/// Samples.
pub fn run(catalog: Catalog<'_>, args: &SampleArgs, verbosity: Verbosity) -> Result {
    let mut source = Source::choose(catalog, args.source.as_deref(), args.weights.as_ref())?;
    let job = Job::new(source.spec(), args)?;
    // What does not fit the machine is refused before weights are read.
    let place = source.place(args.device)?;
    let ready = source.load()?;
    let settings = job.settings(&ready, &place);
    let folder = args.output.clone().unwrap_or_else(|| Run::default_folder(&job.default_name(), &settings));
    let bytes = job.spec.image.elements() as u64;
    if let Place::Cpu(Some(why)) = &place {
        verbosity.say(&format!("on the CPU: {why}"));
    }
    let engine = Engine::open(place, ready.plan(), source::threads(args.threads))?;
    let evaluations = job.steps.evaluations(job.spec.backbones.len());
    let batch = engine.batch(args.batch, &ready, job.count, &evaluations);
    engine.check(&ready, batch, &evaluations, device::SMALLER)?;
    resources::check_disk(job.count.saturating_mul(bytes + 4096), &folder)?;
    let mut run = Run::open(&folder, &settings)?;
    signals::install();
    verbosity.detail(&format!("{}; {}, batch {batch}", job.describe(), engine.describe()));
    let mut progress = Progress::new(job.count, run.finished(), verbosity);
    if run.finished() < job.count {
        let mut executor = engine.executor(ready, batch)?;
        let sampled = sample(&job, &mut *executor, &mut run, &mut progress, args, &folder);
        progress.clear();
        sampled?;
    }
    finish(run, &progress, args, verbosity, &folder)
}

/// Samples what is missing, batch by batch.
fn sample(job: &Job, executor: &mut dyn Executor, run: &mut Run, progress: &mut Progress, args: &SampleArgs, folder: &Path) -> Result {
    let pace = Pace::new(executor.plan(), &job.steps);
    loop {
        let missing = run.missing(executor.batch());
        if missing.is_empty() {
            return Ok(());
        }
        if signals::interrupted() {
            return Err(interrupted(progress, job, folder));
        }
        let images = match trajectory::sample(job, executor, missing, &pace, progress) {
            Ok(images) => images,
            Err(Ended::Interrupted) => return Err(interrupted(progress, job, folder)),
            Err(Ended::Failed(exit, why)) => {
                let message = format!("{why}; {} of {} images are kept in {}", progress.done(), job.count, echo_path(folder));
                return Err(Failure::new(exit, message).hint(device::AGAIN));
            }
        };
        let images: Vec<_> = images.iter().map(|image| encode(image, job, run.recipe())).collect::<Result<_>>()?;
        run.publish(&images)?;
        progress.finish_batch(images.len());
        if args.json {
            images.iter().try_for_each(|(entry, _)| report::line(&report::json(&made(entry, folder))))?;
        }
    }
}

/// The PNG of a sample.
fn encode(image: &Image, job: &Job, recipe: &Recipe) -> Result<(Entry, Vec<u8>)> {
    let parameters = recipe.parameters(image.index, image.label, (image.shape.width, image.shape.height));
    let story = recipe.story(image.index, image.label);
    let texts = [Text::Latin1("parameters", &parameters), Text::Unicode("duodiff", &story)];
    let png = image::encode(&image.pixels(job.quantize), &texts);
    let png = png.map_err(|why| Failure::new(Exit::Failed, format!("image {}: {why}", image.index)))?;
    Ok((Entry::new(image.index, image.label), png))
}

fn made(entry: &Entry, folder: &Path) -> Made {
    Made { kind: "image", index: entry.index, path: folder.join(&entry.file).display().to_string(), class: entry.class }
}

fn interrupted(progress: &Progress, job: &Job, folder: &Path) -> Failure {
    let message = format!("interrupted: {} of {} images are kept in {}", progress.done(), job.count, echo_path(folder));
    Failure::new(Exit::Interrupted, message).hint("the same command again: it goes on from there")
}

/// Writes the grid and says where everything is.
fn finish(run: Run, progress: &Progress, args: &SampleArgs, verbosity: Verbosity, folder: &Path) -> Result {
    let grid = run.finish()?;
    let (made, time) = progress.made();
    let speed = progress::speed(made as f64 / time.as_secs_f64().max(1e-9));
    match made {
        0 => verbosity.say(&format!("nothing to do: the run is complete; grid: {}", grid.display())),
        _ => {
            let (noun, seconds) = (if made == 1 { "image" } else { "images" }, time.as_secs_f64());
            verbosity.say(&format!("{made} {noun} in {seconds:.1} s ({speed} images/s); grid: {}", grid.display()));
        }
    }
    if !args.json {
        return report::line(&folder.display().to_string());
    }
    report::line(&report::json(&Summary {
        kind: "run",
        folder: folder.display().to_string(),
        grid: grid.display().to_string(),
        images: progress.done(),
        made,
        seconds: time.as_secs_f64(),
    }))
}
