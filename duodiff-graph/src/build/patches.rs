//! `patch_embed` and `unpatchify`: between images and tokens.

use luminal::prelude::{Const, Dimension, GraphTensor, Shape};

use super::linear::project;
use super::view::{Untyped, permuted, seen_as};
use super::{Batch, Bias, Builder, Image, Tensor, Tokens};

/// Patches as tokens, each multiplied by a weight: the strided convolution of vision transformers, `[C, H, W]` → `[N, D]`.
///
/// Token i·WN + j is the patch at rows iP.., columns jP..; HN = H/P, WN = W/P, N = HN·WN, K = C·P·P.
/// Parameters `KEY.weight` `[D, C, P, P]` and `KEY.bias` `[D]`.
#[inline(never)]
pub fn patch_embed<
    const C: usize,
    const H: usize,
    const W: usize,
    const P: usize,
    const HN: usize,
    const WN: usize,
    const N: usize,
    const K: usize,
    const D: usize,
>(
    b: &mut Builder,
    image: &Image<C, H, W>,
    key: &str,
) -> Tokens<N, D> {
    const { assert!(H == HN * P && W == WN * P && N == HN * WN && K == C * P * P, "the patches do not tile the image") };
    let patches = formula_patchify::<Const<C>, Const<HN>, Const<P>, Const<WN>, (Batch, Const<N>, Const<K>)>(image.dense().no_shape());
    project(b, &Tensor::new(patches), key, Bias::With, &[D, C, P, P])
}

/// Tokens as patches of an image: token i·WN + j holds `[P, P, C]`, channel fastest; `[N, K]` → `[C, H, W]`.
#[inline(never)]
pub fn unpatchify<
    const N: usize,
    const K: usize,
    const C: usize,
    const H: usize,
    const W: usize,
    const P: usize,
    const HN: usize,
    const WN: usize,
>(
    x: &Tokens<N, K>,
) -> Image<C, H, W> {
    const { assert!(H == HN * P && W == WN * P && N == HN * WN && K == P * P * C, "the patches do not tile the image") };
    Tensor::new(formula_unpatchify::<Const<HN>, Const<WN>, Const<P>, Const<C>, (Batch, Const<C>, Const<H>, Const<W>)>(x.dense().no_shape()))
}

/// `[C, (h p), (w q)]` → `[(h w), (C p q)]`.
#[inline(never)]
pub(crate) fn formula_patchify<C: Dimension, H: Dimension, P: Dimension, W: Dimension, Dst: Shape>(image: Untyped) -> GraphTensor<Dst> {
    let (c, h, p, w) = (C::const_size(), H::const_size(), P::const_size(), W::const_size());
    permuted(seen_as(image, &[Batch::const_size(), c, h, p, w, p]), &[0, 2, 4, 1, 3, 5], &Dst::realized_shape())
}

/// `[(h w), (p q C)]` → `[C, (h p), (w q)]`.
#[inline(never)]
pub(crate) fn formula_unpatchify<H: Dimension, W: Dimension, P: Dimension, C: Dimension, Dst: Shape>(x: Untyped) -> GraphTensor<Dst> {
    let (h, w, p, c) = (H::const_size(), W::const_size(), P::const_size(), C::const_size());
    permuted(seen_as(x, &[Batch::const_size(), h, w, p, p, c]), &[0, 5, 1, 3, 2, 4], &Dst::realized_shape())
}
