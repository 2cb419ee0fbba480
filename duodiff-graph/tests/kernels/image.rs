//! image.cu: convolution, noise, guidance and the solver's update, bit for bit what the CPU computes.

use duodiff_graph::noise::{Noise, Philox};
use duodiff_graph::process::HISTORY;

use super::buffer::{Buffer, Element};
use super::object::{Argument, Object, arguments, in_every_order};
use super::window::Step;

/// `Row` of kernels/types.cuh.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Row {
    a: f32,
    b: f32,
    clip: f32,
    c0: f32,
    cs: f32,
    history: [f32; HISTORY],
    cz: f32,
    scale: f32,
    save: u32,
    entry: u32,
}

const SEED: u64 = 0x0123_4567_89AB_CDEF;
pub const SEED_WORDS: [u32; 2] = [SEED as u32, (SEED >> 32) as u32];

/// Images anywhere, some beyond 32 bits.
pub const INDICES: [u64; 3] = [0, 7, (1 << 33) + 5];

fn object() -> Option<&'static Object> {
    Object::of("image.cu", &[])
}

/// A thread to each of `count`, in each of `lines`.
fn launch(name: &str, count: usize, lines: usize, arguments: &[Argument]) {
    object().unwrap().launch(name, [count.div_ceil(256) as u32, lines as u32, 1], 256, 0, arguments).unwrap();
}

fn noise(index: u64, draw: u32, elements: usize) -> Vec<f32> {
    let mut noise = vec![0.0; elements];
    Philox { seed: SEED }.fill(index, draw, &mut noise);
    noise
}

#[test]
fn convolutions_are_chains() {
    if object().is_none() {
        return;
    }
    for ([images, channels, height, width], outputs) in
        [([2, 3, 8, 8], 3), ([1, 1, 28, 28], 1), ([3, 4, 1, 7], 5), ([1, 2, 9, 2], 4), ([1, 1, 1, 1], 1)]
    {
        let x = Buffer::<f32>::normal(1, images * channels * height * width);
        let (weight, bias) = (Buffer::<f32>::normal(2, outputs * channels * 9), Buffer::<f32>::normal(3, outputs));
        let found = in_every_order(|| {
            let out = Buffer::<f32>::poisoned(images * outputs * height * width);
            let [c, h, w, o, n] = [channels, height, width, outputs, images].map(|size| size as u32);
            let all = arguments![x.pointer(), weight.pointer(), bias.pointer(), c, h, w, o, out.pointer(), n];
            launch("conv3x3", images * outputs * height * width, 1, all);
            out.bits()
        });
        let pixel = |image: usize, channel: usize, line: isize, column: isize| {
            let inside = (0..height as isize).contains(&line) && (0..width as isize).contains(&column);
            let at = ((image * channels + channel) * height) as isize + line;
            if inside { x.elements()[(at * width as isize + column) as usize] } else { 0.0 }
        };
        for (index, found) in found.into_iter().enumerate() {
            let (line, column) = (index / width % height, index % width);
            let (image, output) = (index / (width * height * outputs), index / (width * height) % outputs);
            let mut sum = 0.0_f32;
            for (at, weight) in weight.elements()[output * channels * 9..][..channels * 9].iter().enumerate() {
                let (channel, down, right) = (at / 9, (at / 3 % 3) as isize, (at % 3) as isize);
                sum = weight.mul_add(pixel(image, channel, line as isize + down - 1, column as isize + right - 1), sum);
            }
            assert_eq!(found, (sum + bias.elements()[output]).to_bits(), "{index}");
        }
    }
}

#[test]
fn trajectories_start_from_the_hosts_noise() {
    if object().is_none() {
        return;
    }
    let indices = Buffer::from(&INDICES);
    for elements in [1, 6, 784, 1027] {
        let found = in_every_order(|| {
            let x = Buffer::<f32>::poisoned(3 * elements);
            let [low, high] = SEED_WORDS;
            launch("start", elements.div_ceil(4), 3, arguments![x.pointer(), indices.pointer(), low, high, elements as u32, 3_u32]);
            x.bits()
        });
        let wanted = INDICES.iter().flat_map(|index| noise(*index, 0, elements)).map(f32::to_bits);
        assert!(found.into_iter().eq(wanted), "{elements}");
    }
}

/// Rows with each term there and absent, clipped and not, saved and not.
pub fn solver_rows() -> Vec<Row> {
    let some = |bit: u32, row: u32, x: f32| if row >> bit & 1 == 1 { x } else { 0.0 };
    let row = |row: u32| Row {
        a: 1.01 + 0.01 * row as f32,
        b: -0.3,
        clip: if row.is_multiple_of(3) { 0.5 } else { f32::INFINITY },
        c0: 0.7,
        cs: some(2, row, 0.2),
        history: [0.4, some(0, row, -0.13), some(1, row, 0.07)],
        cz: some(3, row + 8, 0.11),
        scale: 1.0 - 0.01 * row as f32,
        save: u32::from(row % 4 == 1),
        entry: 100 + row,
    };
    (0..10).map(row).collect()
}

/// The state, the saved state and the history after some steps.
struct State {
    x: Vec<f32>,
    saved: Vec<f32>,
    history: [Vec<f32>; HISTORY],
}

impl State {
    /// One step: the fused multiply-adds of the CPU in their order.
    fn step(&mut self, r: usize, row: &Row, f: &[f32], z: &[f32]) {
        let term = |sum: f32, factor: f32, x: f32| if factor == 0.0 { sum } else { factor.mul_add(x, sum) };
        for (at, f) in f.iter().enumerate() {
            let before = self.x[at];
            let m = row.a.mul_add(before, row.b * f).clamp(-row.clip, row.clip);
            self.history[r % HISTORY][at] = m;
            let mut after = term(row.c0 * before, row.cs, self.saved[at]);
            for (age, factor) in row.history.iter().enumerate() {
                after = term(after, *factor, self.history[(r + HISTORY - age) % HISTORY][at]);
            }
            after = term(after, row.cz, z[at]);
            if row.save != 0 {
                self.saved[at] = before;
            }
            self.x[at] = after;
        }
    }
}

#[test]
fn updates_are_those_of_the_cpu() {
    if object().is_none() {
        return;
    }
    let (rows, indices) = (solver_rows(), Buffer::from(&INDICES));
    let device_rows = Buffer::from(&rows);
    for elements in [1, 6, 1027] {
        let outputs: Vec<_> = (0..rows.len()).map(|r| Buffer::<f32>::normal(r as u64, 3 * elements)).collect();
        let start = Buffer::<f32>::normal(77, 3 * elements);
        let found = in_every_order(|| {
            let step = Buffer::from(&[Step { row: 0, entry: 99, ticket: 0, reserved: 0 }]);
            let x = Buffer::from(start.elements());
            let (saved, history) = (Buffer::from(start.elements()), Buffer::from(&vec![0.0_f32; HISTORY * 3 * elements]));
            for (r, f) in outputs.iter().enumerate() {
                let [low, high] = SEED_WORDS;
                let (f, x) = (f.pointer(), x.pointer());
                let (rows, step, saved, history) = (device_rows.pointer(), step.pointer(), saved.pointer(), history.pointer());
                let all = arguments![rows, step, x, f, saved, history, indices.pointer(), low, high, elements as u32, 3_u32];
                launch("update", elements.div_ceil(4), 3, all);
                // SAFETY: the step is a buffer of one.
                assert_eq!(unsafe { *step }, Step { row: r as u32 + 1, entry: 100 + r as u32, ticket: 0, reserved: 0 });
            }
            [x.bits(), saved.bits(), history.bits()]
        });
        let zeros = || vec![0.0; 3 * elements];
        let mut state = State { x: start.elements().to_vec(), saved: start.elements().to_vec(), history: [zeros(), zeros(), zeros()] };
        for (r, (row, f)) in rows.iter().zip(&outputs).enumerate() {
            let z: Vec<f32> = INDICES.iter().flat_map(|index| noise(*index, r as u32 + 1, elements)).collect();
            state.step(r, row, f.elements(), &z);
        }
        let bits = |values: &[f32]| values.iter().map(|x| x.bits()).collect::<Vec<_>>();
        assert!(found == [bits(&state.x), bits(&state.saved), bits(&state.history.concat())], "{elements}");
    }
}

#[test]
fn scaled_and_guided_images() {
    if object().is_none() {
        return;
    }
    let rows = solver_rows();
    let (device_rows, step) = (Buffer::from(&rows), Buffer::from(&[Step { row: 6, entry: 0, ticket: 0, reserved: 0 }]));
    for count in [1, 256, 1027] {
        let (x, y) = (Buffer::<f32>::normal(1, count), Buffer::<f32>::normal(2, count));
        let fed = Buffer::<f32>::poisoned(count);
        launch("scale_image", count, 1, arguments![device_rows.pointer(), step.pointer(), x.pointer(), fed.pointer(), count as u64]);
        let wanted: Vec<u32> = x.elements().iter().map(|x| (rows[6].scale * x).to_bits()).collect();
        assert_eq!(fed.bits(), wanted);

        let guided = Buffer::from(x.elements());
        launch("guide", count, 1, arguments![2.5_f32, guided.pointer(), y.pointer(), count as u64]);
        let wanted: Vec<u32> = x.elements().iter().zip(y.elements()).map(|(x, y)| 2.5_f32.mul_add(x - y, *x).to_bits()).collect();
        assert_eq!(guided.bits(), wanted);
    }
}
