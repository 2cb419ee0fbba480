//! tokens.cu: reductions along rows, functions of elements, copies.

use half::bf16;

use super::buffer::{Buffer, Element};
use super::object::{Argument, Object, arguments, in_every_order};
use super::reference::{activate, assert_near, norm, softmax};
use super::window::{NO_STEP, Step, Tokens, Window};

/// `[images, rows, columns]`: those of the pairs, some of them with fewer rows, and ragged ones.
const SHAPES: [[usize; 3]; 9] =
    [[1, 1, 1], [2, 5, 12], [3, 3, 33], [2, 50, 128], [1, 9, 512], [2, 2, 768], [1, 2, 1024], [1, 2, 1536], [1, 3, 2051]];

fn object<E: Element>() -> Option<&'static Object> {
    Object::of("tokens.cu", E::DEFINES)
}

/// Launches a kernel with `items` threads or, if `warps`, warps.
fn launch<E: Element>(name: &str, items: usize, warps: bool, arguments: &[Argument]) {
    let per_block = if warps { 8 } else { 256 };
    let name = format!("{name}_{}", E::NAME);
    object::<E>().unwrap().launch(&name, [items.div_ceil(per_block) as u32, 1, 1], 256, 0, arguments).unwrap();
}

fn chunks<E: Element>(rows: usize, columns: usize) -> usize {
    rows * columns.div_ceil(E::CHUNK)
}

/// Runs a kernel of `total` rows into `columns` columns in every order.
fn rows<E: Element>(total: usize, columns: usize, run: impl Fn(&Buffer<E>)) -> Buffer<E> {
    let elements = in_every_order(|| {
        let out = Buffer::poisoned(total * columns);
        run(&out);
        out.bits()
    });
    let out = Buffer::poisoned(total * columns);
    run(&out);
    assert_eq!(out.bits(), elements);
    out
}

fn run_norm<E: Element>(
    x0: &Tokens<E>,
    x1: Option<&Tokens<E>>,
    gain: Option<&Buffer<f32>>,
    shift: Option<&Buffer<f32>>,
    eps: f32,
) -> Buffer<E> {
    let columns = x0.columns + x1.map_or(0, |x1| x1.columns);
    let (first, second) = (x0.window(), x1.map_or(Window::NONE, Tokens::window));
    let pointer = |buffer: Option<&Buffer<f32>>| buffer.map_or(std::ptr::null_mut(), Buffer::pointer);
    rows(x0.total(), columns, |out| {
        let (gain, shift, out, total) = (pointer(gain), pointer(shift), out.pointer(), x0.total() as u32);
        let all = arguments![first, second, gain, shift, eps, out, total, NO_STEP];
        launch::<E>("norm", x0.total(), true, all);
    })
}

fn norms<E: Element>() {
    for shape in SHAPES {
        let columns = shape[2];
        let (gain, shift) = (Buffer::<f32>::normal(1, columns), Buffer::<f32>::normal(2, columns));
        let aligned = Tokens::<E>::aligned(3, shape).map(|x| 3.0 * x + 40.0);
        let found = run_norm(&aligned, None, Some(&gain), Some(&shift), 1e-5);
        let affine = |row: &[f64]| norm(row, 1e-5, |i| gain.values()[i], |i| shift.values()[i]);
        let wanted: Vec<f64> = (0..aligned.total()).flat_map(|r| affine(&aligned.row(r))).collect();
        assert_near(found.elements(), &wanted, columns, 4.0);
        let ragged = Tokens::<E>::ragged(3, shape).map(|x| 3.0 * x + 40.0);
        assert_eq!(run_norm(&ragged, None, Some(&gain), Some(&shift), 1e-5).bits(), found.bits(), "alignment changes bits");
        let plain: Vec<f64> = (0..aligned.total()).flat_map(|r| norm(&aligned.row(r), 1e-5, |_| 1.0, |_| 0.0)).collect();
        assert_near(run_norm(&aligned, None, None, None, 1e-5).elements(), &plain, columns, 4.0);
    }
}

/// Two windows side by side give the bits of one.
fn joined_norms<E: Element>() {
    for (first, second) in [(64, 64), (512, 512), (12, 20), (7, 30)] {
        let (x0, x1) = (Tokens::<E>::aligned(1, [2, 3, first]), Tokens::<E>::ragged(2, [2, 3, second]));
        let mut joined = Buffer::<E>::poisoned(6 * (first + second));
        for (r, to) in joined.elements_mut().chunks_mut(first + second).enumerate() {
            to.iter_mut().zip(x0.row(r).into_iter().chain(x1.row(r))).for_each(|(to, x)| *to = E::rounded(x));
        }
        let base = joined.pointer().cast_const().cast();
        let whole = Window {
            base,
            image: 3 * (first + second) as u64,
            stride: (first + second) as u32,
            rows: 3,
            columns: (first + second) as u32,
            step: 0,
        };
        let wanted = rows::<E>(6, first + second, |out| {
            let (null, eps, out) = (std::ptr::null_mut::<f32>(), 1e-6_f32, out.pointer());
            launch::<E>("norm", 6, true, arguments![whole, Window::NONE, null, null, eps, out, 6_u32, NO_STEP]);
        });
        assert_eq!(run_norm(&x0, Some(&x1), None, None, 1e-6).bits(), wanted.bits());
    }
}

fn softmaxes<E: Element>() {
    for shape in SHAPES {
        let x = Tokens::<E>::ragged(5, shape).map(|x| 10.0 * x - 30.0);
        let wanted: Vec<f64> = (0..x.total()).flat_map(|r| softmax(&x.row(r))).collect();
        let found = rows::<E>(x.total(), x.columns, |out| {
            let (window, out, total) = (x.window(), out.pointer(), x.total() as u32);
            launch::<E>("softmax", x.total(), true, arguments![window, out, total, NO_STEP]);
        });
        assert_near(found.elements(), &wanted, x.columns, 4.0);
    }
}

fn elementwise<E: Element>() {
    for (shape, ragged) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let make = |seed| if ragged { Tokens::<E>::ragged(seed, shape) } else { Tokens::<E>::aligned(seed, shape) };
        let (x, y) = (make(1).map(|x| 2.0 * x), make(2));
        let (window, total, columns) = (x.window(), x.total() as u32, x.columns);
        let threads = chunks::<E>(x.total(), columns);
        for (f, name) in ["gelu", "gelu_tanh", "silu"].into_iter().enumerate() {
            let wanted: Vec<f64> = x.values().into_iter().map(|x| activate(name, x)).collect();
            let found = rows::<E>(x.total(), columns, |out| {
                launch::<E>("activate", threads, false, arguments![window, f as u32, out.pointer(), total, NO_STEP]);
            });
            assert_near(found.elements(), &wanted, columns, 1.0);
        }
        let found = rows::<E>(x.total(), columns, |out| {
            launch::<E>("affine", threads, false, arguments![window, 0.7_f32, -0.3_f32, out.pointer(), total, NO_STEP]);
        });
        let wanted: Vec<f64> = x.values().into_iter().map(|x| f64::from(0.7_f32) * x + f64::from(-0.3_f32)).collect();
        assert_near(found.elements(), &wanted, columns, 1.0);
        // b as it is, and b's first row for all of a's.
        let other = y.window();
        let row = Window { image: 0, stride: 0, ..other };
        for (b, f, is_row) in [(other, 0_u32, false), (other, 1, false), (row, 0, true), (row, 1, true)] {
            let found = rows::<E>(x.total(), columns, |out| {
                launch::<E>("binary", threads, false, arguments![window, b, f, out.pointer(), total, NO_STEP]);
            });
            let second = (0..x.total()).flat_map(|r| y.row(if is_row { 0 } else { r }));
            let wanted: Vec<f64> = x.values().into_iter().zip(second).map(|(a, b)| if f == 0 { a + b } else { a * b }).collect();
            assert_near(found.elements(), &wanted, columns, 1.0);
        }
    }
}

/// Two windows copied into one value, side by side and one below the other; the rest stays as it was.
fn copies<E: Element>() {
    for (images, first, second, columns) in [(2, 1, 49, 128), (3, 2, 5, 33), (1, 1, 4, 7)] {
        let (a, b) = (Tokens::<E>::aligned(1, [images, first, columns]), Tokens::<E>::ragged(2, [images, second, columns]));
        let found = rows::<E>(images * (first + second), columns + 5, |out| {
            for (x, row) in [(&a, 0_u32), (&b, first as u32)] {
                let (window, total) = (x.window(), x.total() as u32);
                let place = [(columns + 5) as u32, (first + second) as u32, row, 5];
                let [wide, high, row, column] = place;
                let all = arguments![window, out.pointer(), wide, high, row, column, total, NO_STEP];
                launch::<E>("copy", chunks::<E>(x.total(), columns), false, all);
            }
        });
        for (r, found) in found.elements().chunks(columns + 5).enumerate() {
            let (image, row) = (r / (first + second), r % (first + second));
            let wanted = if row < first { a.row(image * first + row) } else { b.row(image * second + row - first) };
            assert!(found[..5].iter().all(|x| x.value().is_nan()));
            assert!(found[5..].iter().zip(&wanted).all(|(found, wanted)| found.value() == *wanted), "row {r}");
        }
    }
}

fn conversions<E: Element>() {
    for count in [1, 7, 8, 4099] {
        let x = Buffer::<f32>::normal(4, count);
        let found = rows::<E>(1, count, |out| {
            launch::<E>("convert", count.div_ceil(E::CHUNK), false, arguments![x.pointer(), out.pointer(), count as u64]);
        });
        assert!(found.elements().iter().zip(x.values()).all(|(found, x)| *found == E::rounded(x)));
    }
}

fn embeddings<E: Element>() {
    for columns in [16, 37, 128] {
        let (table, labels) = (Buffer::<E>::normal(1, 10 * columns), Buffer::<u32>::from(&[3, 9, 0, 3]));
        let found = rows::<E>(4, columns, |out| {
            let all = arguments![table.pointer(), labels.pointer(), out.pointer(), columns as u32, 4_u32];
            launch::<E>("embed", chunks::<E>(4, columns), false, all);
        });
        for (found, label) in found.elements().chunks(columns).zip(labels.elements()) {
            assert_eq!(found, &table.elements()[*label as usize * columns..][..columns]);
        }
    }
}

fn patches<E: Element>() {
    for [images, channels, height, width, patch] in [[2, 3, 32, 32, 2], [1, 1, 28, 28, 4], [3, 4, 6, 9, 3], [2, 3, 8, 4, 4]] {
        let image = Buffer::<f32>::normal(7, images * channels * height * width);
        let (rows_each, columns) = ((height / patch) * (width / patch), channels * patch * patch);
        let (sizes, elements) = ([channels as u32, height as u32, width as u32, patch as u32, images as u32], image.elements().len());
        let [c, h, w, p, n] = sizes;
        let patched = rows::<E>(images * rows_each, columns, |out| {
            launch::<E>("patchify", elements, false, arguments![image.pointer(), c, h, w, p, out.pointer(), n]);
        });
        // Row (i, j) of x holds [P, P, C]: as an image, what a window with two rows too many says.
        let x = Tokens::<E>::aligned(8, [images, rows_each, columns]);
        let back = rows::<f32>(images, elements / images, |out| {
            let window = x.window();
            launch::<E>("unpatchify", elements, false, arguments![window, c, h, w, p, out.pointer(), n, NO_STEP]);
        });
        for (index, value) in image.elements().iter().enumerate() {
            let (i, channel) = (index / (channels * height * width), index / (height * width) % channels);
            let (y, at) = (index / width % height, index % width);
            let row = i * rows_each + y / patch * (width / patch) + at / patch;
            let column = (channel * patch + y % patch) * patch + at % patch;
            assert_eq!(patched.elements()[row * columns + column], E::rounded((*value).into()));
            assert_eq!(f64::from(back.elements()[index]), x.row(row)[(y % patch * patch + at % patch) * channels + channel]);
        }
    }
}

/// A step table: the entry that the device's step names.
fn tables<E: Element>() {
    let table = Tokens::<E>::aligned(1, [4, 2, 24]);
    let step = Buffer::from(&[Step { row: 9, entry: 2, ticket: 0, reserved: 0 }]);
    let found = rows::<E>(6, 24, |out| {
        let window = table.table();
        launch::<E>("affine", chunks::<E>(6, 24), false, arguments![window, 1.0_f32, 0.0_f32, out.pointer(), 6_u32, step.pointer()]);
    });
    let entry: Vec<f64> = [table.row(4), table.row(5)].concat();
    assert_eq!(found.values(), entry.repeat(3));
}

macro_rules! both {
    ($($test:ident $f:ident),* $(,)?) => {$(
        #[test]
        fn $test() {
            if object::<f32>().is_some() && object::<bf16>().is_some() {
                $f::<f32>();
                $f::<bf16>();
            }
        }
    )*};
}

both! {
    norm_of_rows norms,
    norm_of_joined_rows joined_norms,
    softmax_of_rows softmaxes,
    functions_of_elements elementwise,
    copies_into_place copies,
    conversion conversions,
    embedding embeddings,
    patches_there_and_back patches,
    step_tables tables,
}
