//! attention.cu and attention_mma.cu: heads of a joint value of queries, keys and values, or of values of their own.

use half::bf16;

use super::buffer::{Buffer, Element};
use super::object::{Object, arguments, in_every_order};
use super::reference::{assert_near, softmax};
use super::window::{NO_STEP, Tokens, Window};

/// Queries, keys and values of `images`, in heads.
struct Operands<E> {
    q: Tokens<E>,
    k: Tokens<E>,
    v: Tokens<E>,
    heads: usize,
    width: usize,
}

const SCALE: f32 = 0.3;

impl<E: Element> Operands<E> {
    fn new(images: usize, [queries, keys]: [usize; 2], [heads, width]: [usize; 2], is_aligned: bool) -> Self {
        let make = |seed, rows| {
            let shape = [images, rows, heads * width];
            if is_aligned { Tokens::aligned(seed, shape) } else { Tokens::ragged(seed, shape) }
        };
        Self { q: make(1, queries), k: make(2, keys), v: make(3, keys), heads, width }
    }

    /// A row's columns of one head.
    fn part(&self, tokens: &Tokens<E>, r: usize, head: usize) -> Vec<f64> {
        tokens.row(r)[head * self.width..][..self.width].to_vec()
    }

    fn wanted(&self) -> Vec<f64> {
        let mut wanted = vec![0.0; self.q.total() * self.heads * self.width];
        for (image, head) in (0..self.q.images).flat_map(|image| (0..self.heads).map(move |head| (image, head))) {
            let keys = || image * self.k.rows..(image + 1) * self.k.rows;
            let k: Vec<_> = keys().map(|r| self.part(&self.k, r, head)).collect();
            let v: Vec<_> = keys().map(|r| self.part(&self.v, r, head)).collect();
            for r in image * self.q.rows..(image + 1) * self.q.rows {
                let q = self.part(&self.q, r, head);
                let scores = k.iter().map(|k| f64::from(SCALE) * q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>());
                for (weight, v) in softmax(&scores.collect::<Vec<_>>()).into_iter().zip(&v) {
                    let out = &mut wanted[(r * self.heads + head) * self.width..][..self.width];
                    out.iter_mut().zip(v).for_each(|(out, v)| *out += weight * v);
                }
            }
        }
        wanted
    }

    /// Runs a kernel on images `images`, `along` blocks to a head.
    fn run(&self, file: &str, name: &str, images: std::ops::Range<usize>, along: usize, block: u32, shared: usize) -> Buffer<E> {
        let out = Buffer::poisoned(images.len() * self.q.rows * self.heads * self.width);
        let [q, k, v]: [Window; 3] = [&self.q, &self.k, &self.v].map(|tokens| tokens.window_from(images.start));
        let sizes = [self.heads as u32, self.width as u32];
        let all = arguments![q, k, v, sizes[0], sizes[1], SCALE, out.pointer(), images.len() as u32, NO_STEP];
        let grid = [(images.len() * self.heads) as u32, along as u32, 1];
        Object::of(file, if file == "attention.cu" { E::DEFINES } else { &[] }).unwrap().launch(name, grid, block, shared, all).unwrap();
        out
    }

    fn generic(&self, images: std::ops::Range<usize>) -> Buffer<E> {
        let shared = 4 * 32 * (2 * (self.width | 1) + self.width);
        self.run("attention.cu", &format!("attention_{}", E::NAME), images, self.q.rows.div_ceil(32), 256, shared)
    }
}

impl Operands<bf16> {
    fn mma(&self, images: std::ops::Range<usize>, along: usize) -> Buffer<bf16> {
        let pitch = ((self.width / 8) | 1) * 16;
        let shared = 2 * self.k.rows.next_multiple_of(16) * pitch;
        self.run("attention_mma.cu", &format!("attention_mma_bf16_{}", self.width), images, along, 128, shared)
    }
}

fn any_shape<E: Element>() {
    let shapes = [(1, [1, 1], [1, 1]), (2, [33, 65], [2, 20]), (1, [50, 50], [3, 32]), (2, [5, 31], [1, 72]), (1, [40, 3], [1, 256])];
    for (images, rows, heads) in shapes {
        let aligned = Operands::<E>::new(images, rows, heads, true);
        let found = in_every_order(|| aligned.generic(0..images).bits());
        assert_near(aligned.generic(0..images).elements(), &aligned.wanted(), heads[1], 8.0);
        let ragged = Operands::<E>::new(images, rows, heads, false);
        assert!(ragged.generic(0..images).bits() == found, "alignment changes bits");
    }
}

#[test]
fn attention_of_any_shape() {
    if super::object::is_possible() {
        any_shape::<f32>();
        any_shape::<bf16>();
    }
}

#[test]
fn attention_on_tensor_cores() {
    if !super::object::is_possible() {
        return;
    }
    for (images, rows, heads) in [
        (1, [1, 1], [1, 32]),
        (2, [50, 51], [2, 32]),
        (1, [257, 257], [1, 64]),
        (2, [33, 16], [2, 64]),
        (1, [19, 304], [1, 72]),
        (3, [65, 77], [1, 72]),
    ] {
        let operands = Operands::<bf16>::new(images, rows, heads, true);
        assert_near(operands.mma(0..images, 1).elements(), &operands.wanted(), heads[1], 2.0);
    }
}

/// At every shape of the pairs; on the emulator the smallest pair's.
#[test]
fn attention_of_the_pairs() {
    if !super::object::is_possible() {
        return;
    }
    let pairs = [(50, 4, 32), (257, 8, 64), (258, 12, 64), (258, 16, 64), (304, 4, 72)];
    let count = if super::gpu::is_asked_for() { pairs.len() } else { 1 };
    for &(rows, heads, width) in &pairs[..count] {
        let operands = Operands::<bf16>::new(2, [rows, rows], [heads, width], true);
        let wanted = operands.wanted();
        for along in [1, rows.div_ceil(64)] {
            assert_near(operands.mma(0..2, along).elements(), &wanted, width, 2.0);
        }
        assert_near(operands.generic(0..2).elements(), &wanted, width, 8.0);
        let operands = Operands::<f32>::new(2, [rows, rows], [heads, width], true);
        assert_near(operands.generic(0..2).elements(), &operands.wanted(), width, 8.0);
    }
}

/// Neither batch, position, blocks nor the order of threads changes a bit.
#[test]
fn attention_of_each_image_alone() {
    if !super::object::is_possible() {
        return;
    }
    for width in [32, 64, 72] {
        let operands = Operands::<bf16>::new(3, [75, 50], [2, width], true);
        let together = in_every_order(|| operands.mma(0..3, 1).bits());
        for along in [1, 2, 5] {
            let each: Vec<u32> = (0..3).flat_map(|image| operands.mma(image..image + 1, along).bits()).collect();
            assert!(each == together, "{along} blocks to a head of {width}");
        }
        let each: Vec<u32> = (0..3).flat_map(|image| operands.generic(image..image + 1).bits()).collect();
        assert!(each == operands.generic(0..3).bits());
    }
}
