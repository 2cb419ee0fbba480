//! Compiles the embedded pair, weights inside, to a bundle that the library includes as bytes.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use duodiff::graph::bundle::{self, Bundle, Keep};
use duodiff::graph::compile::{Options, compile};
use duodiff::graph::weights::{Wanted, Weights};

/// The pair that `duodiff sample` samples without arguments.
const EMBEDDED: duodiff::Mnist = duodiff::Mnist;

/// Its weights: `mnist.BACKBONE.safetensors`.
const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/weights");

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={WEIGHTS}");
    let plan = compile(&EMBEDDED, &Options::default())?.plan;
    let wanted = Wanted::all(&plan);
    let file = |which: usize| Path::new(WEIGHTS).join(format!("mnist.{}.safetensors", wanted[which].backbone));
    let open = |which| Weights::open(&file(which), &wanted, which).map_err(|why| format!("{}: {why}", file(which).display()));
    let weights = (0..wanted.len()).map(open).collect::<Result<_, _>>()?;
    let bundle = Bundle::new(plan, weights, Keep::Weights);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.duo"), bundle::write(&bundle))?;
    Ok(())
}
