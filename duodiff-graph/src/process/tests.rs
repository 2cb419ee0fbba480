//! Rows against the published formulas, written out here once more in float64.

use std::sync::LazyLock;

use super::*;
use crate::spec::{BackboneSpec, Betas, Classes, Guidance, History, ImageShape, PairSpec, Phase, Prediction, Process, TimeMap};

const LINEAR: Process = Process { betas: Betas::Linear { first: 1e-4, last: 2e-2 }, steps: 1000 };

fn spec() -> PairSpec {
    let backbone = |name: &str| BackboneSpec { name: name.to_owned(), process: None, time: None };
    PairSpec {
        name: "Test".to_owned(),
        doc: String::new(),
        image: ImageShape { channels: 1, height: 2, width: 2 },
        process: LINEAR,
        time: TimeMap { over: 1000.0, ..TimeMap::IDENTITY },
        predicts: Prediction::Epsilon,
        classes: None,
        guidance: None,
        backbones: vec![backbone("shallow"), backbone("deep")],
        phases: vec![Phase { backbone: 0, first: 999, last: 700 }, Phase { backbone: 1, first: 699, last: 0 }],
        history: History::Carry,
    }
}

fn settings(solver: Solver, steps: u32) -> Settings {
    Settings { solver, steps: Some(steps), ..Settings::default() }
}

fn ddim(steps: u32) -> Settings {
    settings(Solver::default(), steps)
}

/// (β, α, ᾱ, β̃) of the linear process, by the definitions.
static LINEAR_PROCESS: LazyLock<Vec<(f64, f64, f64, f64)>> = LazyLock::new(|| {
    let betas: Vec<f64> = (0..1000).map(|t| 1e-4 + (2e-2 - 1e-4) * f64::from(t) / 999.0).collect();
    let bar = |t: usize| betas[..t].iter().map(|beta| 1.0 - beta).product::<f64>();
    (0..1000).map(|t| (betas[t], 1.0 - betas[t], bar(t + 1), betas[t] * (1.0 - bar(t)) / (1.0 - bar(t + 1)))).collect()
});

/// Settings whose rows go by way of the clean image.
fn clipped(solver: Solver, steps: u32) -> Settings {
    Settings { clip: Some(1.0), ..settings(solver, steps) }
}

/// One update by the row, in float64, without the clip: (x', m).
fn apply(row: &Row, x: f64, f: f64, z: f64) -> (f64, f64) {
    let m = f64::from(row.a) * x + f64::from(row.b) * f;
    (f64::from(row.c0) * x + f64::from(row.history[0]) * m + f64::from(row.cz) * z, m)
}

fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0)
}

#[test]
fn ddpm_is_the_ancestral_formula() {
    let steps = Steps::new(&spec(), &settings(Solver::Ddpm, 1000)).expect("valid");
    assert_eq!(steps.rows.len(), 1000);
    for (row, t) in steps.rows.iter().zip((0..1000).rev()) {
        let (_, alpha, bar, variance) = LINEAR_PROCESS[t];
        assert_eq!((row.t, row.backbone), (t as f32, usize::from(t < 700)));
        for (x, eps, z) in [(1.3, 0.0, 0.0), (0.0, -0.7, 0.0), (0.0, 0.0, 1.0), (-0.4, 1.1, 0.5)] {
            let mean = (1.0 / alpha).sqrt() * (x - (1.0 - alpha) / (1.0 - bar).sqrt() * eps);
            let noise = if t > 0 { variance.sqrt() * z } else { 0.0 };
            assert!(close(apply(row, x, eps, z).0, mean + noise), "t {t}, x {x}, eps {eps}, z {z}");
        }
        assert!(close(f64::from(row.cz), if t > 0 { variance.sqrt() } else { 0.0 }));
        assert_eq!(row.cz == 0.0, t == 0);
    }
}

#[test]
fn ddim_is_the_published_formula_at_any_eta() {
    for (count, eta) in [(50, 0.0), (10, 0.0), (50, 0.5), (7, 1.0), (1000, 0.3), (1, 0.0), (2, 0.9)] {
        let steps = Steps::new(&spec(), &clipped(Solver::Ddim { eta }, count)).expect("valid");
        for (i, row) in steps.rows.iter().enumerate() {
            let bar = LINEAR_PROCESS[row.t as usize].2;
            let target = steps.rows.get(i + 1).map_or(1.0, |next| LINEAR_PROCESS[next.t as usize].2);
            let sigma = eta * ((1.0 - target) / (1.0 - bar)).sqrt() * (1.0 - bar / target).sqrt();
            for (x, eps, z) in [(1.3, 0.2, 0.0), (0.1, -0.7, 0.0), (-0.4, 1.1, 0.5)] {
                let x0 = (x - (1.0 - bar).sqrt() * eps) / bar.sqrt();
                let wanted = target.sqrt() * x0 + (1.0 - target - sigma * sigma).max(0.0).sqrt() * eps + sigma * z;
                let (found, m) = apply(row, x, eps, z);
                assert!(close(m, x0) && close(found, wanted), "step {i} of {count}, eta {eta}: {found} {wanted}");
            }
        }
        let last = steps.rows[steps.rows.len() - 1];
        assert_eq!((last.c0, last.history[0], last.cz), (0.0, 1.0, 0.0), "the last row jumps to the clean image");
    }
}

#[test]
fn strided_ddpm_is_ancestral_between_its_own_timesteps() {
    let steps = Steps::new(&spec(), &clipped(Solver::Ddpm, 20)).expect("valid");
    for (row, next) in steps.rows.iter().zip(&steps.rows[1..]) {
        let (bar, target) = (LINEAR_PROCESS[row.t as usize].2, LINEAR_PROCESS[next.t as usize].2);
        let alpha = bar / target;
        assert!(close(f64::from(row.c0), alpha.sqrt() * (1.0 - target) / (1.0 - bar)));
        assert!(close(f64::from(row.history[0]), target.sqrt() * (1.0 - alpha) / (1.0 - bar)));
        assert!(close(f64::from(row.cz), ((1.0 - alpha) * (1.0 - target) / (1.0 - bar)).sqrt()));
    }
}

#[test]
fn every_prediction_stands_for_the_same_clean_image() {
    let (x0, eps) = (0.8_f64, -1.2_f64);
    for t in [0_usize, 1, 137, 500, 999] {
        let (beta, alpha, bar, _) = LINEAR_PROCESS[t];
        let before = bar / alpha;
        let x = bar.sqrt() * x0 + (1.0 - bar).sqrt() * eps;
        let posterior = (before.sqrt() * beta * x0 + alpha.sqrt() * (1.0 - before) * x) / (1.0 - bar);
        let outputs = [
            (Prediction::Epsilon, eps),
            (Prediction::X0, x0),
            (Prediction::V, bar.sqrt() * eps - (1.0 - bar).sqrt() * x0),
            (Prediction::Previous, posterior),
        ];
        for (predicts, f) in outputs {
            let steps = Steps::new(&PairSpec { predicts, ..spec() }, &clipped(Solver::Ddpm, 1000)).expect("valid");
            let row = &steps.rows[999 - t];
            let (found, m) = apply(row, x, f, 0.0);
            let size = (f64::from(row.a) * x).abs().max((f64::from(row.b) * f).abs()).max(1.0);
            assert!((m - x0).abs() <= 2e-7 * size, "{predicts:?} at {t}: {m}");
            assert!((found - posterior).abs() <= 1e-6, "{predicts:?} at {t}: {found} {posterior}");
        }
    }
}

#[test]
fn without_a_clip_rows_skip_the_clean_image() {
    for predicts in [Prediction::Epsilon, Prediction::X0, Prediction::V, Prediction::Previous] {
        let pair = PairSpec { predicts, ..spec() };
        for solver in [Solver::Ddpm, Solver::Ddim { eta: 0.3 }] {
            let direct = Steps::new(&pair, &settings(solver, 40)).expect("valid");
            let converted = Steps::new(&pair, &clipped(solver, 40)).expect("valid");
            for (direct, converted) in direct.rows.iter().zip(&converted.rows) {
                assert_eq!((direct.a, direct.b), (0.0, 1.0));
                for (x, f, z) in [(1.3, 0.2, 0.0), (0.1, -0.7, 0.4)] {
                    let (found, wanted) = (apply(direct, x, f, z).0, apply(converted, x, f, z).0);
                    assert!((found - wanted).abs() <= 1e-5, "{predicts:?} at {}: {found} {wanted}", direct.t);
                }
            }
        }
    }
}

#[test]
fn grid_is_exact_in_integers() {
    assert_eq!(grid(1000, 1), [999]);
    assert_eq!(grid(1000, 2), [999, 0]);
    assert_eq!(grid(1000, 5), [999, 749, 499, 249, 0]);
    assert_eq!(grid(1000, 1000), (0..1000).rev().collect::<Vec<_>>());
    assert_eq!(grid(1, 1), [0]);
    // 999·82/123 is 666, which floating point misses.
    assert_eq!(grid(1000, 124)[123 - 82], 666);
    for count in 1..=1000 {
        let grid = grid(1000, count);
        assert!(grid.windows(2).all(|pair| pair[0] > pair[1]) && grid[0] == 999 && grid.len() == count as usize);
    }
}

#[test]
fn the_backbone_is_chosen_by_the_evaluated_timestep() {
    let steps = Steps::new(&spec(), &ddim(1000)).expect("valid");
    assert_eq!(steps.rows.iter().filter(|row| row.backbone == 0).count(), 300);
    assert_eq!((steps.rows[299].t, steps.rows[299].backbone, steps.rows[300].backbone), (700.0, 0, 1));
    let phases = Some(Phase::parse("deep:1,shallow:999", &spec().backbones, 1000).expect("valid"));
    let steps = Steps::new(&spec(), &Settings { phases, ..ddim(3) }).expect("valid");
    assert_eq!(steps.rows.iter().map(|row| (row.t, row.backbone)).collect::<Vec<_>>(), [(999.0, 1), (499.0, 0), (0.0, 0)]);
}

#[test]
fn time_goes_through_the_map_of_the_backbone() {
    let mut spec = spec();
    spec.backbones[1].time = Some(TimeMap { plus: 1.0, ..TimeMap::IDENTITY });
    let steps = Steps::new(&spec, &ddim(3)).expect("valid");
    assert_eq!(steps.rows.iter().map(|row| row.time).collect::<Vec<_>>(), [999.0 / 1000.0, 500.0, 1.0]);
}

#[test]
fn cosine_and_scaled_linear_follow_their_rules() {
    let bars = |betas| {
        let levels = Levels::new(Process { betas, steps: 1000 }).expect("valid");
        [0, 1, 500, 998].map(|t| levels.bar(Some(t)))
    };
    let f = |t: f64| (((t / 1000.0 + 0.008) / 1.008) * std::f64::consts::FRAC_PI_2).cos().powi(2);
    for (found, t) in bars(Betas::Cosine).into_iter().zip([1.0, 2.0, 501.0, 999.0]) {
        assert!((found - f(t) / f(0.0)).abs() < 1e-12);
    }
    // U-ViT's discrete process, as numpy computes it: linspace(sqrt(0.00085), sqrt(0.012), 1000)**2, cumulative product.
    let found = bars(Betas::ScaledLinear { first: 0.00085, last: 0.012 });
    let mut wanted = 1.0;
    for t in 0..=998_u32 {
        let root = 0.00085_f64.sqrt() * (1.0 - f64::from(t) / 999.0) + 0.012_f64.sqrt() * f64::from(t) / 999.0;
        wanted *= 1.0 - root.powi(2);
    }
    assert!((found[3] - wanted).abs() < 1e-12 && (found[0] - (1.0 - 0.00085)).abs() < 1e-15);
}

#[test]
fn matches_the_signal_to_noise_ratio_of_another_process() {
    let mut spec = spec();
    spec.backbones[1].process = Some(Process { betas: Betas::Linear { first: 1e-4, last: 4e-2 }, steps: 500 });
    spec.backbones[1].time = Some(TimeMap::IDENTITY);
    let steps = Steps::new(&spec, &ddim(100)).expect("valid");
    let own: Vec<f64> = (0..500).map(|t| 1e-4 + (4e-2 - 1e-4) * f64::from(t) / 499.0).collect();
    let log_snr = |t: usize| {
        let bar: f64 = own[..=t].iter().map(|beta| 1.0 - beta).product();
        (bar / (1.0 - bar)).ln()
    };
    for row in steps.rows.iter().filter(|row| row.backbone == 1) {
        let bar = LINEAR_PROCESS[row.t as usize].2;
        let (below, part) = (row.time.floor(), f64::from(row.time.fract()));
        let found = log_snr(below as usize) + if part > 0.0 { part * (log_snr(below as usize + 1) - log_snr(below as usize)) } else { 0.0 };
        assert!((found - (bar / (1.0 - bar)).ln()).abs() < 1e-4, "t {}", row.t);
        assert_eq!(row.scale, 1.0);
    }
    spec.backbones[0].process = Some(Process { betas: Betas::Linear { first: 1e-4, last: 2e-2 }, steps: 500 });
    let error = Steps::new(&spec, &ddim(100)).expect_err("shallow never saw that much noise").to_string();
    assert!(error.starts_with("backbone `shallow` is to be evaluated at timestep 999"), "{error}");
}

#[test]
fn refuses_by_name() {
    let classes = |null| Some(Classes { count: 11, null });
    let guided = Settings { guidance: Some(0.4), ..Settings::default() };
    let process = |first, last, steps| Process { betas: Betas::Linear { first, last }, steps };
    let cases = [
        (spec(), ddim(0), "0 steps were asked for, the process has 1000 timesteps -- use 1 to 1000"),
        (spec(), ddim(1001), "1001 steps were asked for, the process has 1000 timesteps -- use 1 to 1000"),
        (spec(), settings(Solver::Ddim { eta: -0.1 }, 50), "eta is -0.1 -- these steps allow 0 (deterministic) to 1.0080"),
        (spec(), settings(Solver::Ddim { eta: f64::NAN }, 1), "eta is NaN -- these steps allow 0 (deterministic) to inf"),
        (spec(), settings(Solver::Ddim { eta: 2.0 }, 10), "eta is 2 -- these steps allow 0 (deterministic) to 1.0003"),
        (spec(), Settings { clip: Some(0.0), ..ddim(5) }, "the bound of the clean image is 0 -- use a positive number, e.g. 1"),
        (spec(), guided.clone(), "guidance is 0.4, but the pair has no classes -- use guidance 0"),
        (
            PairSpec { classes: classes(None), ..spec() },
            guided.clone(),
            "guidance is 0.4, but the pair has no null label -- use guidance 0",
        ),
        (PairSpec { process: process(1e-4, 2e-2, 0), ..spec() }, ddim(5), "the process has 0 timesteps -- declare 1 to 100000"),
        (
            PairSpec { process: process(1e-4, 1.0, 1000), ..spec() },
            ddim(5),
            "beta is 1 at timestep 999 -- every beta must lie between 0 and 1",
        ),
        (
            PairSpec { predicts: Prediction::Flow, ..spec() },
            ddim(5),
            "`predicts: flow` needs a straight path, and this process has betas -- declare epsilon, x0, previous or v",
        ),
        (PairSpec { phases: vec![], ..spec() }, ddim(5), "there are no phases -- name at least one, e.g. deep:1000"),
    ];
    for (spec, settings, message) in cases {
        assert_eq!(Steps::new(&spec, &settings).expect_err("refused").to_string(), message);
    }
    assert_eq!("ddmp".parse::<Solver>().expect_err("refused").to_string(), "there is no solver `ddmp` -- did you mean `ddpm`?");
    let declared = PairSpec { classes: classes(Some(10)), guidance: Some(Guidance { scale: 0.4 }), ..spec() };
    assert_eq!(Steps::new(&declared, &ddim(5)).expect("valid").guidance, 0.4);
}
