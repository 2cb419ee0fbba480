//! `duodiff pairs`: the declared pairs and what their backbones cost.

use duodiff::graph::spec::{PairSpec, Phase};
use serde::Serialize;

use crate::args::PairsArgs;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::report::{self, Align, Table};
use crate::source;

/// A pair, for JSON.
#[derive(Serialize)]
struct Listed {
    pair: String,
    image: [usize; 3],
    predicts: String,
    timesteps: u32,
    classes: Option<u32>,
    phases: String,
    backbones: Vec<Backbone>,
}

/// A backbone, for JSON.
#[derive(Serialize)]
struct Backbone {
    name: String,
    parameters: u64,
    flops: u64,
}

/// Prints the pairs.
pub fn run(catalog: Catalog<'_>, args: &PairsArgs) -> Result {
    let listed: Vec<_> = catalog.0.iter().map(|pair| list(*pair)).collect::<Result<_>>()?;
    if args.json {
        return listed.iter().try_for_each(|pair| report::line(&report::json(pair)));
    }
    report::print(&table(&listed).to_string())
}

fn list(pair: &dyn duodiff::Pair) -> Result<Listed> {
    let plan = source::compile(pair)?;
    let spec = &plan.spec;
    let backbones = spec.backbones.iter().zip(&plan.backbones).map(|(spec, plan)| Backbone {
        name: spec.name.clone(),
        parameters: plan.cost.params,
        flops: plan.cost.flops,
    });
    Ok(Listed {
        pair: spec.name.clone(),
        image: [spec.image.channels, spec.image.height, spec.image.width],
        predicts: format!("{:?}", spec.predicts).to_lowercase(),
        timesteps: spec.process.steps,
        classes: spec.classes.map(|classes| classes.count),
        phases: phases(spec),
        backbones: backbones.collect(),
    })
}

/// The declared phases, e.g. `shallow:300,deep:700`.
pub fn phases(spec: &PairSpec) -> String {
    Phase::format(&spec.phases, &spec.backbones)
}

fn table(pairs: &[Listed]) -> Table {
    use Align::{Left, Right};
    let columns = [("pair", Left), ("image", Left), ("predicts", Left), ("phases", Left)];
    let costs = [("backbone", Left), ("parameters", Right), ("GFLOP/image", Right)];
    let mut table = Table::new(&[&columns[..], &costs[..]].concat());
    for pair in pairs {
        let [channels, height, width] = pair.image;
        let mut head = vec![pair.pair.clone(), format!("{channels}x{height}x{width}"), pair.predicts.clone(), pair.phases.clone()];
        for backbone in &pair.backbones {
            let cost = [backbone.name.clone(), report::commas(backbone.parameters), report::gflop(backbone.flops)];
            table.row(head.iter().cloned().chain(cost));
            head = vec![String::new(); head.len()];
        }
    }
    table
}
