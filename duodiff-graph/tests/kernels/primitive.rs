//! primitive.cu: each function over views with padding, slices, broadcast and permuted axes, in both types.

use half::bf16;

use super::buffer::{Buffer, Element};
use super::object::{Object, arguments, in_every_order};

const RANK: usize = 10;

/// `Axis` of kernels/primitive.cuh.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Axis {
    stride: u64,
    length: u32,
    stored: u32,
    first: i32,
    reserved: u32,
}

/// `View` of kernels/primitive.cuh.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct View {
    base: *const u8,
    element: u32,
    rank: u32,
    axes: [Axis; RANK],
}

impl View {
    const NONE: Self =
        Self { base: std::ptr::null(), element: 0, rank: 0, axes: [Axis { stride: 0, length: 0, stored: 0, first: 0, reserved: 0 }; RANK] };

    fn new<E: Element>(buffer: &Buffer<E>, axes: &[Axis]) -> Self {
        let mut view = Self { base: buffer.pointer().cast(), element: code::<E>(), rank: axes.len() as u32, ..Self::NONE };
        view.axes[..axes.len()].copy_from_slice(axes);
        view
    }
}

fn code<E: Element>() -> u32 {
    u32::from(size_of::<E>() == 2)
}

fn whole(stride: u64, length: u32) -> Axis {
    Axis { stride, length, stored: length, ..Axis::default() }
}

/// What an axis leaves of the stored one after zeros before it and a slice of `length` from `start` on.
fn cut(stride: u64, stored: u32, before: i32, start: i32, length: u32) -> Axis {
    Axis { stride, length, stored, first: start - before, reserved: 0 }
}

/// Elements in logical order, by plain loops over the axes.
fn walk<E: Element>(buffer: &Buffer<E>, axes: &[Axis]) -> Vec<f64> {
    let Some((last, outer)) = axes.split_last() else { return vec![buffer.values()[0]] };
    let mut offsets = vec![Some(0_i64)];
    for axis in outer.iter().chain([last]) {
        let inside = |at: i64| at >= 0 && at < i64::from(axis.stored);
        let next = |offset: Option<i64>, i: u32| {
            let at = i64::from(i) + i64::from(axis.first);
            offset.filter(|_| inside(at)).map(|offset| offset + at * axis.stride as i64)
        };
        offsets = offsets.iter().flat_map(|offset| (0..axis.length).map(move |i| next(*offset, i))).collect();
    }
    let values = buffer.values();
    offsets.into_iter().map(|offset| offset.map_or(0.0, |offset| values[offset as usize])).collect()
}

fn object() -> Option<&'static Object> {
    Object::of("primitive.cu", &[])
}

fn run<E: Element>(f: u32, constant: f32, a: View, b: View, count: usize) -> Vec<f64> {
    let bits = in_every_order(|| {
        let out = Buffer::<E>::poisoned(count);
        let all = arguments![f, constant, a, b, out.pointer(), code::<E>(), count as u64];
        object().unwrap().launch("primitive", [count.div_ceil(256) as u32, 1, 1], 256, 0, all).unwrap();
        out.elements().iter().map(|x| x.value().to_bits()).collect::<Vec<_>>()
    });
    bits.into_iter().map(f64::from_bits).collect()
}

#[track_caller]
fn assert_close<E: Element>(found: &[f64], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let error = (found - wanted).abs() / wanted.abs().max(1.0);
        assert!(error <= 2.0 * E::TOLERANCE, "{index}: {found}, wanted {wanted}");
    }
}

/// Views of 3 × 5 × 7 stored elements, and of ten axes.
fn views() -> Vec<Vec<Axis>> {
    vec![
        vec![],
        vec![whole(1, 105)],
        vec![whole(35, 3), whole(7, 5), whole(1, 7)],
        vec![whole(1, 7), whole(35, 3), whole(7, 5)],
        // Zeros before and behind, then a slice that keeps some of them.
        vec![cut(35, 3, 2, 1, 5), whole(7, 5), cut(1, 7, 0, 2, 4)],
        // Slices that keep zeros only.
        vec![cut(35, 3, 4, 0, 3), whole(7, 5)],
        vec![whole(35, 3), whole(0, 4), whole(7, 5), cut(1, 7, 1, 0, 9)],
        [vec![whole(35, 3)], vec![whole(0, 1); 7], vec![whole(7, 5), whole(1, 7)]].concat(),
    ]
}

fn count(axes: &[Axis]) -> usize {
    axes.iter().map(|axis| axis.length as usize).product()
}

fn unary<E: Element>() {
    let positive = Buffer::<E>::from(&Buffer::<f32>::normal(1, 105).values().iter().map(|x| E::rounded(x.abs() + 0.1)).collect::<Vec<_>>());
    type Function = fn(f64) -> f64;
    let functions: [Function; 6] = [|x| x, f64::log2, f64::exp2, f64::sin, f64::sqrt, f64::recip];
    for axes in views() {
        let view = View::new(&positive, &axes);
        let inputs = walk(&positive, &axes);
        for (f, function) in functions.iter().enumerate() {
            // Where zeros stand in, two functions are infinite.
            let wanted: Vec<f64> = inputs.iter().map(|x| function(*x)).collect();
            let found = run::<E>(f as u32 + 1, 0.0, view, View::NONE, count(&axes));
            let finite = |values: &[f64]| values.iter().copied().filter(|x| x.is_finite()).collect::<Vec<_>>();
            assert!(found.iter().zip(&wanted).all(|(found, wanted)| found.is_finite() == wanted.is_finite()));
            assert_close::<E>(&finite(&found), &finite(&wanted));
        }
    }
    assert_eq!(run::<E>(0, 0.375, View::NONE, View::NONE, 1), [0.375]);
}

fn binary<E: Element, F: Element>() {
    let (a, b) = (Buffer::<E>::normal(1, 105), Buffer::<F>::normal(2, 105));
    type Function = fn(f64, f64) -> f64;
    let functions: [Function; 4] = [|a, b| a + b, |a, b| a * b, |a, b| a % b, |a, b| f64::from(u8::from(a < b))];
    let (plain, turned) = ([whole(35, 3), whole(7, 5), whole(1, 7)], [whole(0, 3), whole(1, 5), whole(5, 7)]);
    for (f, function) in functions.iter().enumerate() {
        let found = run::<E>(f as u32 + 7, 0.0, View::new(&a, &plain), View::new(&b, &turned), 105);
        let wanted: Vec<f64> = walk(&a, &plain).into_iter().zip(walk(&b, &turned)).map(|(a, b)| function(a, b)).collect();
        assert_close::<E>(&found, &wanted);
    }
}

fn reductions<E: Element>() {
    let x = Buffer::<E>::normal(1, 105);
    for axes in views().into_iter().filter(|axes| !axes.is_empty()) {
        let length = axes.last().unwrap().length as usize;
        let (view, inputs) = (View::new(&x, &axes), walk(&x, &axes));
        let wanted: Vec<f64> = inputs.chunks(length).map(|row| row.iter().sum()).collect();
        assert_close::<E>(&run::<E>(11, 0.0, view, View::NONE, count(&axes) / length), &wanted);
        let wanted: Vec<f64> = inputs.chunks(length).map(|row| row.iter().copied().fold(f64::NEG_INFINITY, f64::max)).collect();
        assert_eq!(run::<E>(12, 0.0, view, View::NONE, count(&axes) / length), wanted);
    }
}

#[test]
fn functions_of_one_view() {
    if object().is_some() {
        unary::<f32>();
        unary::<bf16>();
    }
}

#[test]
fn functions_of_two_views() {
    if object().is_some() {
        binary::<f32, f32>();
        binary::<f32, bf16>();
        binary::<bf16, bf16>();
    }
}

#[test]
fn reductions_of_the_last_axis() {
    if object().is_some() {
        reductions::<f32>();
        reductions::<bf16>();
    }
}
