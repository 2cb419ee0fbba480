//! `conv3x3`: the convolution that ends U-ViT.

use luminal::prelude::symbolic::Expression;
use luminal::prelude::{Axes3, Const, Dimension, GraphTensor};

use super::linear::{formula as product, formula_bias};
use super::view::{Untyped, copied, permuted, windows};
use super::{Batch, Builder, Image, Tensor};

/// 3×3 convolution, stride 1, padding 1, with bias: `[C, H, W]` → `[O, H, W]`.
///
/// HP = H + 2, WP = W + 2, HW = H·W, C9 = 9·C. Parameters `KEY.weight` `[O, C, 3, 3]` and `KEY.bias` `[O]`.
#[inline(never)]
pub fn conv3x3<
    const C: usize,
    const H: usize,
    const W: usize,
    const HP: usize,
    const WP: usize,
    const HW: usize,
    const C9: usize,
    const O: usize,
>(
    b: &mut Builder,
    image: &Image<C, H, W>,
    key: &str,
) -> Image<O, H, W> {
    const { assert!(HP == H + 2 && WP == W + 2 && HW == H * W && C9 == 9 * C, "the sizes of the convolution do not fit") };
    let weight = b.parameter::<(Const<O>, Const<C9>)>(&format!("{key}.weight"), vec![O, C, 3, 3], &[O, C, 3, 3]);
    let bias = b.parameter::<(Const<O>,)>(&format!("{key}.bias"), vec![O], &[O]);
    let y = formula::<Const<C>, Const<H>, Const<W>, Const<HW>, Const<C9>, Const<O>>(image.dense(), weight, bias);
    Tensor::new(GraphTensor::from_id(y.id, <(Batch, Const<O>, Const<H>, Const<W>) as luminal::prelude::Shape>::to_tracker(), y.graph_ref))
}

/// The nine neighbours of every pixel as a token, times the weight: `[C, H, W]` → `[O, HW]`.
#[inline(never)]
pub(crate) fn formula<C: Dimension, H: Dimension, W: Dimension, HW: Dimension, C9: Dimension, O: Dimension>(
    image: GraphTensor<(Batch, C, H, W)>,
    weight: GraphTensor<(O, C9)>,
    bias: GraphTensor<(O,)>,
) -> GraphTensor<(Batch, O, HW)> {
    let sizes = [C::const_size(), H::const_size(), W::const_size()];
    let tokens = neighbours::<HW, C9>(image.no_shape(), sizes);
    let y = formula_bias(product(tokens, weight), bias);
    y.permute::<(Batch, O, HW), Axes3<0, 2, 1>>().contiguous()
}

/// `[C, H, W]` → `[(y x), (C dy dx)]`, zeros around the image.
#[inline(never)]
fn neighbours<HW: Dimension, C9: Dimension>(image: Untyped, [c, h, w]: [Expression; 3]) -> GraphTensor<(Batch, HW, C9)> {
    let (batch, one, three) = (Batch::const_size(), Expression::from(1), Expression::from(3));
    let (hp, wp) = (h + 2, w + 2);
    let mut padded = image.shape;
    padded.padding[2] = (one, one);
    padded.padding[3] = (one, one);
    let padded: Untyped = copied(image, padded, &[batch, c, hp, wp]);
    let across = windows(padded, &[batch, c, hp], wp, w, three);
    let across: Untyped = permuted(across, &[0, 1, 3, 4, 2], &[batch, c, w, three, hp]);
    let both = windows(across, &[batch, c, w, three], hp, h, three);
    permuted(both, &[0, 4, 2, 1, 5, 3], &[batch, HW::const_size(), C9::const_size()])
}
