//! Parameters of products that a layer norm is folded into, made of the checkpoint's: functions of the weights alone.

use std::collections::BTreeMap;

use half::bf16;

use super::weights::rounded;
use crate::launch::{Folded, FoldedPart};
use crate::weights::Tensor;

/// Elements of a parameter, where the weight has the shape `[n, …]`.
pub(super) fn elements(part: FoldedPart, weight: &[usize]) -> usize {
    match part {
        FoldedPart::Weight => weight.iter().product(),
        FoldedPart::Bias | FoldedPart::Sums => weight[0],
    }
}

/// The checkpoint's tensors that a parameter is made of.
pub(super) fn keys(folded: &Folded) -> impl Iterator<Item = &String> {
    let Folded { weight, gain, shift, bias, .. } = folded;
    [Some(weight), gain.as_ref(), shift.as_ref(), bias.as_ref()].into_iter().flatten()
}

/// A weight times a gain, row by row.
pub(super) fn weight(folded: &Folded, tensors: &BTreeMap<String, Tensor>) -> Vec<u16> {
    let data = &tensors[&folded.weight].data;
    match folded.gain.as_ref().map(|gain| &tensors[gain].data) {
        None => rounded(data),
        Some(gain) => rounded(&data.chunks_exact(gain.len()).flat_map(|row| row.iter().zip(gain).map(|(w, g)| w * g)).collect::<Vec<_>>()),
    }
}

/// Bias or sums: an element for each row of the weight, added up in float64.
pub(super) fn column(folded: &Folded, tensors: &BTreeMap<String, Tensor>) -> Vec<f32> {
    let weight = &tensors[&folded.weight];
    let width = weight.data.len() / weight.shape[0];
    let [gain, shift, bias] = [&folded.gain, &folded.shift, &folded.bias].map(|key| key.as_ref().map(|key| &tensors[key].data));
    let gained = |w: f32, k: usize| f64::from(bf16::from_f32(gain.map_or(w, |gain| w * gain[k])));
    let shifted = |w: f32, k: usize| shift.map_or(0.0, |shift| f64::from(w) * f64::from(shift[k]));
    let of_row = |(n, row): (usize, &[f32])| {
        let each = row.iter().zip(0..);
        let sum: f64 = match folded.part {
            FoldedPart::Bias => each.map(|(w, k)| shifted(*w, k)).sum::<f64>() + bias.map_or(0.0, |bias| bias[n].into()),
            _ => each.map(|(w, k)| gained(*w, k)).sum(),
        };
        sum as f32
    };
    weight.data.chunks_exact(width).enumerate().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(part: FoldedPart) -> Folded {
        let [gain, shift, bias] = ["gain", "shift", "bias"].map(|key| Some(key.to_owned()));
        Folded { part, weight: "weight".into(), gain, shift, bias }
    }

    fn tensors() -> BTreeMap<String, Tensor> {
        let tensor = |shape: &[usize], data: &[f32]| Tensor { shape: shape.into(), data: data.into() };
        let all = [
            ("weight", tensor(&[2, 3], &[1.0, 2.0, 3.0, -1.0, 0.5, 1.001])),
            ("gain", tensor(&[3], &[2.0, 1.0, 0.5])),
            ("shift", tensor(&[3], &[1.0, 0.0, 10.0])),
            ("bias", tensor(&[2], &[100.0, 0.25])),
        ];
        all.into_iter().map(|(key, tensor)| (key.to_owned(), tensor)).collect()
    }

    #[test]
    fn gains_are_in_weights_and_shifts_in_biases() {
        let wanted = [2.0, 2.0, 1.5, -2.0, 0.5, 0.5005].map(bf16::from_f32);
        assert_eq!(weight(&folded(FoldedPart::Weight), &tensors()), wanted.map(bf16::to_bits));
        assert_eq!(column(&folded(FoldedPart::Bias), &tensors()), [100.0 + 31.0, 0.25 - 1.0 + 10.01]);
        // Of the weights as they were rounded.
        assert_eq!(column(&folded(FoldedPart::Sums), &tensors()), [5.5, -1.5 + wanted[5].to_f32()]);
        let none = |part| Folded { gain: None, shift: None, bias: None, ..folded(part) };
        assert_eq!(weight(&none(FoldedPart::Weight), &tensors()), rounded(&tensors()["weight"].data));
        assert_eq!(column(&none(FoldedPart::Bias), &tensors()), [0.0, 0.0]);
    }

    #[test]
    fn sizes() {
        assert_eq!([FoldedPart::Weight, FoldedPart::Bias, FoldedPart::Sums].map(|part| elements(part, &[4, 3, 2])), [24, 4, 4]);
        assert_eq!(keys(&folded(FoldedPart::Sums)).collect::<Vec<_>>(), ["weight", "gain", "shift", "bias"]);
    }
}
