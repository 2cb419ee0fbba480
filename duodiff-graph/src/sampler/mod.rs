//! From an executor and steps to images, batch by batch. Image i is a function of weights, plan, seed, i and class.

mod labels;
mod pixels;
#[cfg(test)]
mod tests;

use std::ops::{ControlFlow, Range};

use crate::executor::{Executor, ExecutorError, Request};
use crate::noise::{Noise, Philox};
use crate::process::Steps;
use crate::spec::ImageShape;

pub use labels::Labels;
pub use pixels::{Pixels, Quantize};

/// Which images to sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Key of all noise.
    pub seed: u64,
    /// Global indices of the images.
    pub images: Range<u64>,
    /// Which class each image gets.
    pub labels: Labels,
    /// Images per batch; `None` takes as many as the executor takes. It changes no bit of any image.
    pub batch: Option<usize>,
}

impl Default for Settings {
    /// Sixteen images of seed 0, classes drawn at random where the pair has any.
    fn default() -> Self {
        Self { seed: 0, images: 0..16, labels: Labels::Any, batch: None }
    }
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its global index.
    pub index: u64,
    /// Its class, for conditional pairs.
    pub label: Option<u32>,
    /// Its shape.
    pub shape: ImageShape,
    /// `[C, H, W]`, about −1..1.
    pub data: Vec<f32>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Images that are done.
    pub done: u64,
    /// Images of the run.
    pub images: u64,
    /// Images of the current batch.
    pub batch: usize,
    /// Steps of the current batch that are done.
    pub step: usize,
    /// Steps of each batch.
    pub steps: usize,
}

/// Why there are no images.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SamplerError {
    /// The pair has no classes, but a class was asked for.
    #[error("the pair has no classes -- ask for none")]
    Unconditional,
    /// A list of classes without any.
    #[error("the list of classes is empty -- name at least one")]
    NoClass,
    /// A class that the pair does not have.
    #[error("the pair has no class {found} -- use 0 to {last}")]
    Class {
        /// What was asked for.
        found: u32,
        /// The last class.
        last: u32,
    },
    /// A batch that the executor does not take.
    #[error("batches of {found} were asked for, the executor takes 1 to {most}")]
    Batch {
        /// What was asked for.
        found: usize,
        /// The largest batch.
        most: usize,
    },
    /// The executor failed, or was stopped.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// A sample that is no image.
    #[error("image {index} is not finite -- the weights do not fit the pair's process or time, or the guidance is too strong")]
    NotFinite {
        /// Its global index.
        index: u64,
    },
}

/// Samples the images of a run, an iterator of batches.
pub struct Sampler<'a> {
    executor: &'a mut dyn Executor,
    noise: Box<dyn Noise + 'a>,
    steps: &'a Steps,
    labels: Labels,
    seed: u64,
    images: Range<u64>,
    next: u64,
    batch: usize,
    watch: Box<dyn FnMut(Progress) -> ControlFlow<()> + 'a>,
}

impl<'a> Sampler<'a> {
    /// Checks `settings` against the pair and the executor.
    pub fn new(executor: &'a mut dyn Executor, steps: &'a Steps, settings: Settings) -> Result<Self, SamplerError> {
        let Settings { seed, images, labels, batch } = settings;
        labels.check(&executor.plan().spec)?;
        let most = executor.batch();
        let batch = batch.unwrap_or(most);
        if !(1..=most).contains(&batch) {
            return Err(SamplerError::Batch { found: batch, most });
        }
        let (noise, next) = (Box::new(Philox { seed }), images.start);
        Ok(Self { executor, noise, steps, labels, seed, images, next, batch, watch: Box::new(|_| ControlFlow::Continue(())) })
    }

    /// Calls `watch` after each step; `Break` ends the run with [`ExecutorError::Stopped`].
    pub fn watch(self, watch: impl FnMut(Progress) -> ControlFlow<()> + 'a) -> Self {
        Self { watch: Box::new(watch), ..self }
    }

    /// Takes other noise than Philox's, for instance that of another program; random classes still come from the seed.
    pub fn noise(self, noise: impl Noise + 'a) -> Self {
        Self { noise: Box::new(noise), ..self }
    }

    /// Samples one batch.
    fn sample(&mut self, requests: &[Request]) -> Result<Vec<Image>, SamplerError> {
        let (done, images) = (self.next - self.images.start, self.images.end - self.images.start);
        let (batch, steps) = (requests.len(), self.steps.rows.len());
        let mut watch = |step| (self.watch)(Progress { done, images, batch, step, steps });
        let shape = self.executor.plan().spec.image;
        let samples = self.executor.trajectory(self.steps, requests, self.noise.as_ref(), &mut watch)?;
        let image = |(request, data): (&Request, &[f32])| {
            let Request { index, label } = *request;
            let finite = data.iter().all(|value| value.is_finite());
            finite.then(|| Image { index, label, shape, data: data.to_vec() }).ok_or(SamplerError::NotFinite { index })
        };
        requests.iter().zip(samples.chunks(shape.elements())).map(image).collect()
    }
}

impl Iterator for Sampler<'_> {
    type Item = Result<Vec<Image>, SamplerError>;

    /// The next batch; after an error there is none.
    fn next(&mut self) -> Option<Self::Item> {
        let end = self.images.end.min(self.next.saturating_add(self.batch as u64));
        if self.next >= end {
            return None;
        }
        let spec = &self.executor.plan().spec;
        let requests: Vec<Request> =
            (self.next..end).map(|index| Request { index, label: self.labels.of(index, self.seed, spec.classes) }).collect();
        let batch = self.sample(&requests);
        self.next = if batch.is_ok() { end } else { self.images.end };
        Some(batch)
    }
}
