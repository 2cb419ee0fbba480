//! Our side of the benchmark against peers: loads one net and times evaluations, told by lines on stdin (see `contender.py`).
//!
//! `case PAIR NET BATCH FILE` writes weights and inputs to FILE, for every contender to load; `load FILE THREADS OUT` sets the
//! executor up and writes its output to OUT; `step N` times N evaluations; `quit` ends.

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

use duodiff::graph::compile;
use duodiff::graph::cpu::{Cpu, Options};
use duodiff::graph::executor::Executor;
use duodiff::graph::noise::{Noise, Philox};
use duodiff::graph::plan::Plan;
use duodiff::graph::weights::{Wanted, Weights, tensors::write_f32};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SEED: u64 = 1;

/// One net of a pair with its inputs.
struct Case {
    plan: Plan,
    backbone: usize,
    weights: Vec<Weights>,
    /// `[B, C, H, W]`.
    x: Vec<f32>,
    /// `[B]`, training timesteps.
    t: Vec<f32>,
    /// `[B]`, for conditional pairs.
    y: Option<Vec<u32>>,
}

impl Case {
    /// Random weights and inputs.
    fn new(pair: &str, net: &str, batch: usize) -> Result<Self> {
        let pair = duodiff::PAIRS.iter().find(|known| known.spec().name == pair).ok_or_else(|| format!("no pair {pair}"))?;
        let plan = compile::compile(*pair, &compile::Options::default())?.plan;
        let backbone = plan.spec.backbones.iter().position(|known| known.name == net).ok_or_else(|| format!("no net {net}"))?;
        let weights = Wanted::all(&plan).iter().map(|wanted| Weights::random(SEED, wanted)).collect();
        let mut x = vec![0.0; batch * plan.spec.image.elements()];
        for (index, image) in x.chunks_exact_mut(plan.spec.image.elements()).enumerate() {
            Philox { seed: SEED }.fill(index as u64, 0, image);
        }
        let t = (0..batch).map(|index| (500 + 25 * index as u32 % 500) as f32).collect();
        let y = plan.spec.classes.map(|classes| (0..batch as u32).map(|index| 7 * index % classes.count).collect());
        Ok(Self { plan, backbone, weights, x, t, y })
    }

    /// Floating-point operations of one evaluation.
    fn flops(&self) -> u64 {
        self.plan.backbones[self.backbone].cost.flops * self.t.len() as u64
    }

    /// As safetensors: `x`, `t`, `y`, and the weights under `net.`.
    fn file(&self) -> Vec<u8> {
        let (image, batch) = (self.plan.spec.image, self.t.len());
        let y: Option<Vec<f32>> = self.y.as_ref().map(|labels| labels.iter().map(|&label| label as f32).collect());
        let (x_shape, t_shape) = ([batch, image.channels, image.height, image.width], [batch]);
        let mut inputs = vec![("x", &x_shape[..], &self.x[..]), ("t", &t_shape[..], &self.t[..])];
        inputs.extend(y.as_ref().map(|labels| ("y", &t_shape[..], &labels[..])));
        let keys: Vec<String> = self.weights[self.backbone].tensors.keys().map(|key| format!("net.{key}")).collect();
        let tensors = self.weights[self.backbone].tensors.values();
        inputs.extend(keys.iter().zip(tensors).map(|(key, tensor)| (key.as_str(), &tensor.shape[..], &tensor.data[..])));
        write_f32(&inputs)
    }
}

/// A net that is ready to be evaluated.
struct Ready {
    executor: Cpu,
    backbone: usize,
    x: Vec<f32>,
    t: Vec<f32>,
    y: Option<Vec<u32>>,
    out: Vec<f32>,
}

impl Ready {
    fn new(case: Case, threads: usize) -> Result<Self> {
        let Case { plan, backbone, weights, x, t, y } = case;
        let executor = Cpu::new(plan, weights, Options { batch: t.len(), threads, isa: None })?;
        let out = vec![0.0; x.len()];
        Ok(Self { executor, backbone, x, t, y, out })
    }

    /// One evaluation; returns its seconds.
    fn step(&mut self) -> Result<f64> {
        let start = Instant::now();
        self.executor.forward(self.backbone, &self.x, &self.t, self.y.as_deref(), &mut self.out)?;
        Ok(start.elapsed().as_secs_f64())
    }
}

/// What has been loaded so far.
#[derive(Default)]
struct Contender {
    case: Option<Case>,
    ready: Option<Ready>,
}

impl Contender {
    /// The answer to one line.
    fn answer(&mut self, words: &[&str]) -> Result<String> {
        match *words {
            ["case", pair, net, batch, file] => {
                let case = Case::new(pair, net, batch.parse()?)?;
                std::fs::write(file, case.file())?;
                let flops = case.flops();
                self.case = Some(case);
                Ok(format!("case {flops}"))
            }
            ["load", _, threads, out] => {
                let case = self.case.take().ok_or("load comes after case")?;
                let ready = self.ready.insert(Ready::new(case, threads.parse()?)?);
                ready.step()?;
                std::fs::write(out, ready.out.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
                Ok(format!("ready {:?}", ready.executor.isa()))
            }
            ["step", count] => {
                let ready = self.ready.as_mut().ok_or("step comes after load")?;
                let times = (0..count.parse()?).map(|_| Ok(format!("{:e}", ready.step()?))).collect::<Result<Vec<_>>>()?;
                Ok(format!("time {}", times.join(" ")))
            }
            _ => Err("wanted: case, load, step or quit".into()),
        }
    }
}

fn main() -> Result<()> {
    // `cargo bench` starts every target; this one is a part of a larger benchmark.
    if !std::env::args().any(|argument| argument == "--contender") {
        println!("peers: run benches/peers/run.sh");
        return Ok(());
    }
    let mut contender = Contender::default();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        if words == ["quit"] {
            break;
        }
        let answer = contender.answer(&words).unwrap_or_else(|why| format!("error {why}"));
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}
