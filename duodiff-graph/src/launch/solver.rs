//! The launches of a step that are not the networks': noise, guidance, the solver's update.

use super::lower::count;
use super::{Argument, Kernel, Launch, LaunchError, Module, Region, entry};

/// A kernel of the images' module.
fn launch(name: &str, entry::Shape { grid, block, shared }: entry::Shape, arguments: Vec<Argument>) -> Launch {
    Launch { kernel: Kernel::new(Module::Image, name), grid, block, shared, arguments }
}

/// The words of a seed.
fn seed_words(seed: u64) -> [Argument; 2] {
    [seed as u32, (seed >> 32) as u32].map(Argument::U32)
}

/// Draws the noise that `images` images of `elements` floats start from.
pub fn start(seed: u64, elements: usize, images: usize) -> Result<Launch, LaunchError> {
    let mut arguments = vec![Argument::region(Region::State), Argument::region(Region::Indices)];
    arguments.extend(seed_words(seed));
    arguments.extend([Argument::U32(count("elements of an image", elements)?), Argument::U32(count("images", images)?)]);
    Ok(launch("start", entry::quads(elements as u64, images as u64)?, arguments))
}

/// Feeds the state times the current row's scale; only where some row scales.
pub fn scale_image(elements: usize, images: usize) -> Result<Launch, LaunchError> {
    let all = (elements * images) as u64;
    let regions = [Region::Rows, Region::Step, Region::State, Region::Image].map(Argument::region);
    Ok(launch("scale_image", entry::threads(all)?, regions.into_iter().chain([Argument::U64(all)]).collect()))
}

/// Moves the output away from the one for the null label.
pub fn guide(scale: f32, elements: usize, images: usize) -> Result<Launch, LaunchError> {
    let all = (elements * images) as u64;
    let [output, unconditional] = [Region::Output, Region::Unconditional].map(Argument::region);
    Ok(launch("guide", entry::threads(all)?, vec![Argument::F32(scale), output, unconditional, Argument::U64(all)]))
}

/// Ends the launches of a body that is evaluated once a step: its last one updates the state itself if it can, else the update follows.
pub fn finish(body: &mut Vec<Launch>, seed: u64, elements: usize, images: usize) -> Result<(), LaunchError> {
    match body.last_mut() {
        Some(Launch { kernel: Kernel { module: Module::Tail(_), .. }, arguments, .. }) => {
            // In place of the nulls behind the step.
            let regions = [Region::Rows, Region::State, Region::Saved, Region::History, Region::Indices].map(Argument::region);
            arguments.truncate(arguments.len() - regions.len() - seed_words(seed).len());
            arguments.extend(regions);
            arguments.extend(seed_words(seed));
        }
        _ => body.push(update(seed, elements, images)?),
    }
    Ok(())
}

/// The solver's update, which goes on to the next step.
pub fn update(seed: u64, elements: usize, images: usize) -> Result<Launch, LaunchError> {
    let regions = [Region::Rows, Region::Step, Region::State, Region::Output, Region::Saved, Region::History, Region::Indices];
    let mut arguments: Vec<_> = regions.map(Argument::region).into();
    arguments.extend(seed_words(seed));
    arguments.extend([Argument::U32(count("elements of an image", elements)?), Argument::U32(count("images", images)?)]);
    Ok(launch("update", entry::quads(elements as u64, images as u64)?, arguments))
}
