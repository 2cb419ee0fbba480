//! Samples sixteen digits with the library alone and writes them as one picture.

use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::process::{Settings, Steps};
use duodiff::graph::sampler::{Pixels, Quantize, Sampler};
use duodiff::graph::{compile, weights};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plan = compile::compile(&duodiff::Mnist, &compile::Options::default())?.plan;
    let weights = weights::open_all(&plan, &["models/weights/mnist.shallow.safetensors", "models/weights/mnist.deep.safetensors"])?;
    let steps = Steps::new(&plan.spec, &Settings::default())?;
    let mut executor = Cpu::new(plan, weights, Options { batch: 16, ..Options::default() })?;
    let images = Sampler::new(&mut executor, &steps, Default::default())?.collect::<Result<Vec<_>, _>>()?.concat();
    let pixels: Vec<Pixels> = images.iter().map(|image| image.pixels(Quantize::Round)).collect();
    let grid = Pixels::grid(&pixels, 4).ok_or("no images")?;
    Ok(std::fs::write("digits.pgm", [format!("P5 {} {} 255\n", grid.width, grid.height).as_bytes(), &grid.data].concat())?)
}
