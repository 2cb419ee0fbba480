//! The 3×3 convolution.

use crate::program::Conv3x3;

use super::scope::Scope;

/// `[C, H, W]` → `[O, H, W]`, padding 1, with bias.
pub(super) fn run(op: &Conv3x3, scope: &Scope, out: &mut [f64]) {
    let shape = &scope.program.value(op.x).shape;
    let (channels, height, width) = (shape[0], shape[1], shape[2]);
    let (x, weight, bias) = (scope.whole(op.x), scope.whole(op.weight), scope.whole(op.bias));
    for (index, out) in out.iter_mut().enumerate() {
        let (o, y, x_at) = (index / (height * width), index / width % height, index % width);
        *out = bias[o];
        for channel in 0..channels {
            for tap in 0..9 {
                let (from_y, from_x) = (y + tap / 3, x_at + tap % 3);
                // Row and column 0 of the padded image are zeros.
                if (1..=height).contains(&from_y) && (1..=width).contains(&from_x) {
                    *out += x[(channel * height + from_y - 1) * width + from_x - 1] * weight[(o * channels + channel) * 9 + tap];
                }
            }
        }
    }
}
