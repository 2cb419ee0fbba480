//! linear_wgmma.cu: products of bfloat16 whose operands the copy engine brings.

use duodiff_graph::launch::WarpgroupTile;
use half::bf16;

use super::buffer::{Buffer, Element};
use super::linear::{Operands, SHAPES, of_pairs};
use super::object::{Object, arguments, in_every_order};
use super::reference::assert_near;
use super::tensor::map;
use super::window::{NO_STEP, Tokens, Window};

type Products = Operands<bf16>;

/// The module of an activation, if it can run here.
fn object(activation: &str) -> Option<&'static Object> {
    let define = format!("-DDUODIFF_ACTIVATION={activation}");
    Object::of("linear_wgmma.cu", &[bf16::DEFINES, &[&define]].concat())
}

/// Runs a tile's kernel on images `images`, on so many blocks at most.
fn run(operands: &Products, tile: WarpgroupTile, activation: &str, images: std::ops::Range<usize>, blocks: u32) -> Buffer<bf16> {
    let m = images.len() * operands.first.rows;
    let out = Buffer::poisoned(m * operands.n);
    let of = |tokens: &Option<Tokens<bf16>>| tokens.as_ref().map_or(Window::NONE, |tokens| tokens.window_from(images.start));
    let (first, second) = (operands.first.window_from(images.start), of(&operands.second));
    let (n, k) = (operands.n as u32, first.columns + second.columns);
    let weight = Window { base: operands.weight.pointer().cast(), image: 0, stride: k, rows: n, columns: k, step: 0 };
    let ((a0, rows0), (a1, rows1)) = (map(first, m, tile.rows), map(second, m, tile.rows));
    let (weight, _) = map(weight, operands.n, tile.columns);
    let bias = operands.bias.as_ref().map_or(std::ptr::null_mut(), Buffer::pointer);
    let all = arguments![
        a0,
        a1,
        weight,
        bias,
        of(&operands.residual),
        out.pointer(),
        m as u32,
        n,
        first.columns,
        second.columns,
        rows0,
        rows1,
        NO_STEP
    ];
    let tiles = (m as u32).div_ceil(tile.rows) * n.div_ceil(tile.columns);
    let grid = [tiles.min(blocks), 1, 1];
    object(activation).unwrap().launch(&tile.entry(activation), grid, tile.threads(), tile.shared() as usize, all).unwrap();
    out
}

#[test]
fn shapes() {
    if object("none").is_none() {
        return;
    }
    for (tokens, columns, n) in SHAPES.into_iter().chain([([1, 300], [520, 0], 270)]) {
        for has_more in [false, true] {
            let operands = Products::new(tokens, columns, n, true, has_more);
            let (wanted, mma) = (operands.wanted("none", |x| x), operands.run_mma("none"));
            for tile in WarpgroupTile::ALL {
                let found = in_every_order(|| run(&operands, tile, "none", 0..tokens[0], 3).bits());
                let found: Vec<bf16> = found.into_iter().map(|bits| bf16::from_bits(bits as u16)).collect();
                assert_near(&found, &wanted, n, 4.0);
                // The emulator adds alike for both where the same columns are added at a time; a GPU need not.
                if !super::gpu::is_asked_for() && columns[0].is_multiple_of(16) {
                    assert!(found == mma.elements(), "{tile:?} {tokens:?} {columns:?} {n}");
                }
            }
        }
    }
}

/// More tiles than blocks, by different numbers: warpgroups that take turns do not all have as many.
#[test]
fn blocks_take_several_tiles() {
    if object("none").is_none() {
        return;
    }
    let operands = Products::new([1, 450], [136, 72], 300, true, true);
    let wanted = operands.wanted("none", |x| x);
    for tile in WarpgroupTile::ALL {
        let mut all = [1, 2, 3, 5, 100].map(|blocks| run(&operands, tile, "none", 0..1, blocks).bits()).into_iter();
        let first = all.next().unwrap();
        let found: Vec<bf16> = first.iter().map(|bits| bf16::from_bits(*bits as u16)).collect();
        assert_near(&found, &wanted, operands.n, 4.0);
        assert!(all.all(|bits| bits == first), "{tile:?}");
    }
}

/// Images of one row, of fewer than a tile's, of more, and windows of all of them but the first.
#[test]
fn windows() {
    if object("none").is_none() {
        return;
    }
    for (images, rows) in [(70, 1), (9, 15), (3, 64), (2, 129), (1, 200)] {
        let operands = Products::new([images, rows], [64, 24], 72, true, false);
        let wanted = operands.wanted("none", |x| x);
        for tile in WarpgroupTile::ALL {
            assert_near(run(&operands, tile, "none", 0..images, 2).elements(), &wanted, operands.n, 4.0);
        }
    }
}

#[test]
fn activations() {
    if object("none").is_none() {
        return;
    }
    let operands = Products::new([1, 40], [96, 0], 72, true, true);
    for activation in ["none", "gelu", "gelu_tanh", "silu"] {
        for tile in WarpgroupTile::ALL {
            let found = run(&operands, tile, activation, 0..1, 3);
            assert_near(found.elements(), &operands.wanted(activation, |x| x), operands.n, 4.0);
        }
    }
}

/// Neither tile, batch, position, blocks nor the order of threads and copies changes a bit.
#[test]
fn tiles_and_batches_change_no_bit() {
    if object("none").is_none() {
        return;
    }
    let operands = Products::new([3, 70], [136, 200], 140, true, true);
    let together = in_every_order(|| run(&operands, WarpgroupTile::ALL[0], "gelu", 0..3, 3).bits());
    for tile in WarpgroupTile::ALL {
        let each: Vec<u32> = (0..3).flat_map(|image| run(&operands, tile, "gelu", image..image + 1, 2).bits()).collect();
        assert!(each == together, "{tile:?}");
    }
}

#[test]
fn products_of_the_pairs() {
    if object("none").is_none() {
        return;
    }
    of_pairs::<bf16>(|operands| {
        for tile in WarpgroupTile::ALL.into_iter().filter(|_| operands.first.columns.is_multiple_of(8)) {
            operands.check_some(&run(operands, tile, "gelu", 0..operands.first.images, 132), |x| x);
        }
    });
}
