//! Between images and tokens: patchify, unpatchify, patches.

use super::{Argument, Evaluator, Fault, Operands, Shape, Value, divisors, fault};

impl Evaluator<'_> {
    /// Patch embedding; parameters KEY.weight `[width, channels, patch, patch]`, KEY.bias `[width]`.
    pub(super) fn patchify(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (x, [channels, height, width]) = operands.image(0)?;
        let (patch, span) = operands.size(1, "the patch")?;
        let (columns, _) = operands.size(2, "the width")?;
        if height % patch != 0 || width % patch != 0 {
            let common = (1..=height.min(width)).rev().find(|size| height % size == 0 && width % size == 0).unwrap_or(1);
            return fault(span, format!("patch {patch} does not divide the image of {height} x {width} -- {}", divisors(common)));
        }
        let key = self.key(operands.call)?;
        self.own(operands.call, format!("{key}.weight"), vec![columns, channels, patch, patch]);
        self.own(operands.call, format!("{key}.bias"), vec![columns]);
        let (down, across) = (height / patch, width / patch);
        let rows = down * across;
        self.patches = Some(rows);
        let sizes = vec![channels, height, width, patch, down, across, rows, channels * patch * patch, columns];
        let arguments = vec![Argument::Builder, Argument::Tensor(x), Argument::Key(key)];
        Ok(self.emit("patch_embed", sizes, arguments, Shape::Tokens { rows, columns }))
    }

    /// One token per patch, each (row, column, channel) with the channel fastest, to an image of the pair's size.
    pub(super) fn unpatchify(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (x, rows, columns) = operands.tokens(0)?;
        let (patch, span) = operands.size(1, "the patch")?;
        let [_, height, width] = self.geometry.image;
        if height % patch != 0 || width % patch != 0 {
            return fault(span, format!("patch {patch} does not divide the image of {height} x {width} -- use the patch of patchify"));
        }
        let (down, across) = (height / patch, width / patch);
        if rows != down * across {
            let mend = if self.patches == Some(down * across) { "drop the others with patches(x)" } else { "use the patch of patchify" };
            let message = format!("{rows} tokens do not make {down} x {across} patches of {patch} x {patch} -- {mend}");
            return fault(operands.get(0)?.1, message);
        }
        if columns % (patch * patch) != 0 {
            let message = format!("{columns} columns are no patch of {patch} x {patch} -- make them patch * patch * channels");
            return fault(operands.get(0)?.1, message);
        }
        let channels = columns / (patch * patch);
        let sizes = vec![rows, columns, channels, height, width, patch, down, across];
        Ok(self.emit("unpatchify", sizes, vec![Argument::Tensor(x)], Shape::Image { channels, height, width }))
    }

    /// The last tokens, as many as patchify made.
    pub(super) fn last_patches(&mut self, operands: &Operands) -> Result<Value, Fault> {
        let (x, rows, columns) = operands.tokens(0)?;
        let Some(count) = self.patches else {
            return fault(operands.call.name.span(), "no image was cut into patches before -- use patchify(image, patch, width) first");
        };
        if count > rows {
            let message = format!("{rows} tokens are fewer than the {count} patches -- keep every patch until here");
            return fault(operands.get(0)?.1, message);
        }
        if count == rows {
            return Ok(Value::Tokens(x, rows, columns));
        }
        let arguments = vec![Argument::Tensor(x), Argument::Integer(rows - count)];
        Ok(self.emit("rows", vec![rows, columns, count], arguments, Shape::Tokens { rows: count, columns }))
    }
}
