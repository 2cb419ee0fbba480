//! What equal bits cost: each product as it is, one chain over k per element, against the choice that this forbids, k shared among
//! the threads and their sums added.

use criterion::Criterion;
use duodiff::graph::cpu::bench::Single;
use duodiff::graph::program::{Binary, BinaryFn, Linear, Op, Operand};

use crate::measure::{compare, fast, is_filtered, is_smoke, measure};
use crate::operator::Operator;
use crate::peak::threads;

/// Pair and product, M, K, N: where rows are fewest, at batch 1.
const PRODUCTS: [(&str, usize, usize, usize); 8] = [
    ("Mnist qkv", 50, 128, 384),
    ("Mnist proj", 50, 128, 128),
    ("Mnist fc2", 50, 512, 128),
    ("Mnist skip", 50, 256, 128),
    ("Cifar10 qkv", 257, 512, 1536),
    ("Cifar10 proj", 257, 512, 512),
    ("Cifar10 fc2", 257, 2048, 512),
    ("Cifar10 skip", 257, 1024, 512),
];

/// Without a filter, products of more floating-point operations are left out.
const MOST: usize = 100_000_000;

/// Every product, both ways.
pub fn invariance(criterion: &mut Criterion) {
    for (name, m, k, n) in PRODUCTS.into_iter().filter(|(_, m, k, n)| is_filtered() || 2 * m * k * n <= MOST) {
        let name = format!("invariance/{name} M{m} K{k} N{n}");
        let mut group = fast(criterion, &name);
        let (mut whole, mut shared) = (product(m, k, n), split(m, k, n));
        let seconds = [measure(&mut group, "one chain", || whole.run()), measure(&mut group, "k shared", || shared.run())];
        group.finish();
        if let [Some(one), Some(other)] = seconds
            && !is_smoke()
        {
            let ratio = compare(|| whole.run(), || shared.run(), [one, other]);
            println!("{name}: one chain takes {ratio} of the time with k shared among {} threads", threads());
        }
    }
}

/// The product as it is.
fn product(m: usize, k: usize, n: usize) -> Single {
    let mut o = Operator::new(1);
    let op = linear(&mut o, m, k, n);
    o.finish(op).0
}

/// Each thread multiplies all rows with its part of k: as many operations as if the parts were rows of their own. Then the sums are added.
fn split(m: usize, k: usize, n: usize) -> Single {
    let (mut o, parts) = (Operator::new(1), threads().max(2));
    let op = linear(&mut o, parts * m, k.div_ceil(parts), n);
    let sums = op.out();
    o.push(op);
    let part = |index: usize| Operand { value: sums, rows: index * m..(index + 1) * m, columns: 0..n };
    let mut total = part(0);
    for index in 1..parts - 1 {
        let out = o.out(&[m, n]);
        o.push(Op::Binary(Binary { f: BinaryFn::Add, a: total, b: part(index), out }));
        total = o.whole(out);
    }
    let out = o.out(&[m, n]);
    o.finish(Op::Binary(Binary { f: BinaryFn::Add, a: total, b: part(parts - 1), out })).0
}

fn linear(o: &mut Operator, m: usize, k: usize, n: usize) -> Op {
    let x = o.input(&[m, k]);
    let (sources, weight) = (vec![o.whole(x)], o.param(&[n, k]));
    let out = o.out(&[m, n]);
    Op::Linear(Linear { sources, norm: None, weight, bias: None, activation: None, residual: None, out })
}
