//! A U-ViT made by hand: fused program, first-fit layout, reproducible weights.

use crate::plan::{BackbonePlan, Cost, Layout, Place, Plan};
use crate::program::*;
use crate::spec::*;
use crate::weights::{Tensor, Weights};

/// Sizes of a U-ViT.
#[derive(Clone, Copy)]
pub struct Size {
    pub channels: usize,
    pub side: usize,
    pub patch: usize,
    pub dim: usize,
    pub heads: usize,
    pub depth: usize,
    pub classes: Option<u32>,
}

/// Small, with odd sizes: 12-row groups, 16-column panels and 8-column heads are all ragged.
pub const SMALL: Size = Size { channels: 3, side: 10, patch: 2, dim: 40, heads: 5, depth: 5, classes: Some(4) };

/// Reproducible floats, roughly uniform in [-1, 1].
pub fn floats(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

struct Body {
    program: Program,
    size: Size,
}

impl Body {
    fn param(&mut self, key: &str, shape: &[usize]) -> ValueId {
        let value = match *shape {
            [d, ref rest @ ..] if rest.len() == 3 && key != "final_layer.weight" => vec![d, rest.iter().product()],
            [1, l, d] => vec![l, d],
            _ => shape.to_vec(),
        };
        self.program.add_value(value, Origin::Param { key: key.into(), shape: shape.to_vec() })
    }

    fn norm(&mut self, key: &str) -> Option<RowNorm> {
        let dim = self.size.dim;
        let [gain, shift] = ["weight", "bias"].map(|part| Some(self.param(&format!("{key}.{part}"), &[dim])));
        Some(RowNorm { eps: 1e-5, gain, shift })
    }

    fn linear(&mut self, sources: &[Operand], key: &str, weight: &[usize], fuse: impl FnOnce(&mut Self, &mut Linear)) -> ValueId {
        let rows = sources[0].rows.len();
        let (sources, n) = (sources.to_vec(), weight[0]);
        let weight = self.param(&format!("{key}.weight"), weight);
        let bias = (!key.ends_with("qkv")).then(|| self.param(&format!("{key}.bias"), &[n]));
        let out = self.program.add_value([rows, n], Origin::Op);
        let mut linear = Linear { sources, norm: None, weight, bias, activation: None, residual: None, out };
        fuse(self, &mut linear);
        self.program.ops.push(Op::Linear(linear));
        out
    }

    fn block(&mut self, key: &str, x: ValueId, skip: Option<ValueId>) -> ValueId {
        let dim = self.size.dim;
        let whole = |body: &Self, id| body.program.whole(id);
        let x = skip.map_or(x, |skip| {
            let sources = [whole(self, x), whole(self, skip)];
            self.linear(&sources, &format!("{key}.skip_linear"), &[dim, 2 * dim], |_, _| ())
        });
        let source = whole(self, x);
        let qkv = self.linear(std::slice::from_ref(&source), &format!("{key}.attn.qkv"), &[3 * dim, dim], |body, linear| {
            linear.norm = body.norm(&format!("{key}.norm1"));
        });
        let rows = source.rows.clone();
        let qkv = whole(self, qkv);
        let [q, k, v] = [0, 1, 2].map(|i| qkv.window(rows.clone(), i * dim..(i + 1) * dim));
        let out = self.program.add_value([rows.len(), dim], Origin::Op);
        let heads = self.size.heads;
        let scale = 1.0 / ((dim / heads) as f32).sqrt();
        self.program.ops.push(Op::Attention(Attention { q, k, v, heads, scale, out }));
        let sources = [whole(self, out)];
        let x = self.linear(&sources, &format!("{key}.attn.proj"), &[dim, dim], |_, linear| linear.residual = Some(source));
        let source = whole(self, x);
        let hidden = self.linear(std::slice::from_ref(&source), &format!("{key}.mlp.fc1"), &[4 * dim, dim], |body, linear| {
            linear.norm = body.norm(&format!("{key}.norm2"));
            linear.activation = Some(Activation::Gelu);
        });
        let sources = [whole(self, hidden)];
        self.linear(&sources, &format!("{key}.mlp.fc2"), &[dim, 4 * dim], |_, linear| linear.residual = Some(source))
    }

    fn tokens(&mut self) -> ValueId {
        let Size { channels, side, patch, dim, .. } = self.size;
        let (rows, columns) = ((side / patch).pow(2), channels * patch * patch);
        let image = self.program.add_value([channels, side, side], Origin::Image);
        let patches = self.program.add_value([rows, columns], Origin::Op);
        self.program.ops.push(Op::Patchify(Patchify { image, patch, out: patches }));
        let sources = [self.program.whole(patches)];
        let embedded = self.linear(&sources, "patch_embed.proj", &[dim, channels, patch, patch], |_, _| ());
        let time = self.program.add_value([1, dim], Origin::StepTable(0));
        let mut parts = vec![time, embedded];
        if let Some(classes) = self.size.classes {
            let label = self.program.add_value([], Origin::Label);
            let table = self.param("label_emb.weight", &[classes as usize, dim]);
            let out = self.program.add_value([1, dim], Origin::Op);
            self.program.ops.push(Op::Embedding(Embedding { label, table, out }));
            parts.insert(0, out);
        }
        let all = rows + parts.len() - 1;
        let parts = parts.iter().map(|&id| self.program.whole(id)).collect();
        let joined = self.program.add_value([all, dim], Origin::Op);
        self.program.ops.push(Op::Join(Join { axis: JoinAxis::Rows, parts, out: joined }));
        let positions = self.param("pos_embed", &[1, all, dim]);
        let out = self.program.add_value([all, dim], Origin::Op);
        let [a, b] = [joined, positions].map(|id| self.program.whole(id));
        self.program.ops.push(Op::Binary(Binary { f: BinaryFn::Add, a, b, out }));
        out
    }

    fn finish(&mut self, x: ValueId) {
        let Size { channels, side, patch, .. } = self.size;
        let (rows, columns) = ((side / patch).pow(2), channels * patch * patch);
        let all = self.program.whole(x);
        let sources = [all.window(all.rows.len() - rows..all.rows.len(), all.columns.clone())];
        let y = self.linear(&sources, "decoder_pred", &[columns, self.size.dim], |body, linear| linear.norm = body.norm("norm"));
        let image = self.program.add_value([channels, side, side], Origin::Op);
        let x = self.program.whole(y);
        self.program.ops.push(Op::Unpatchify(Unpatchify { x, patch, out: image }));
        let weight = self.param("final_layer.weight", &[channels, channels, 3, 3]);
        let bias = self.param("final_layer.bias", &[channels]);
        let out = self.program.add_value([channels, side, side], Origin::Op);
        self.program.ops.push(Op::Conv3x3(Conv3x3 { x: image, weight, bias, out }));
        self.program.outputs.push(out);
    }
}

fn empty(name: &str) -> Program {
    Program { name: name.into(), values: vec![], ops: vec![], outputs: vec![] }
}

/// The network, fused as the passes would.
pub fn net(name: &str, size: Size) -> Net {
    let mut body = Body { program: empty(name), size };
    let mut x = body.tokens();
    let mut skips = Vec::new();
    for i in 0..size.depth / 2 {
        x = body.block(&format!("in_blocks.{i}"), x, None);
        skips.push(x);
    }
    x = body.block("mid_block", x, None);
    for i in 0..size.depth / 2 {
        x = body.block(&format!("out_blocks.{i}"), x, skips.pop());
    }
    body.finish(x);
    let mut prelude = empty(name);
    let sinusoid = prelude.add_value([1, size.dim], Origin::Sinusoid);
    prelude.outputs.push(sinusoid);
    Net { prelude, body: body.program }
}

/// Places values first-fit among those alive.
pub fn layout(program: &Program) -> Layout {
    let mut places: Vec<Option<Place>> = vec![None; program.values.len()];
    for (born, op) in program.ops.iter().enumerate() {
        let id = op.out();
        let elements = program.value(id).elements().next_multiple_of(16);
        let dies = if program.outputs.contains(&id) { program.ops.len() } else { program.readers(id).last().copied().unwrap_or(born) };
        let mut taken: Vec<_> =
            places.iter().flatten().filter(|place| place.dies >= born).map(|p| (p.offset, p.offset + p.elements)).collect();
        taken.sort_unstable();
        let offset = taken.iter().fold(0, |at, &(from, to)| if at + elements <= from { at } else { at.max(to) });
        places[id.index()] = Some(Place { offset, elements, born, dies });
    }
    Layout { places }
}

/// Parameters of both programs: small, around 1 for gains.
pub fn weights(net: &Net, seed: u64) -> Weights {
    let mut weights = Weights::default();
    for (index, (_, key, shape)) in net.prelude.params().chain(net.body.params()).enumerate() {
        let fan: usize = shape[1..].iter().product();
        let (centre, width) = match shape.len() {
            1 if key.contains("norm") && key.ends_with("weight") => (1.0, 0.2),
            1 => (0.0, 0.2),
            _ => (0.0, (3.0 / fan as f32).sqrt()),
        };
        let data = floats(seed + index as u64, shape.iter().product()).iter().map(|x| centre + width * x).collect();
        weights.tensors.insert(key.into(), Tensor { shape: shape.to_vec(), data });
    }
    weights
}

/// A plan of these backbones, all for one image shape.
pub fn plan(nets: Vec<Net>, image: [usize; 3], classes: Option<u32>) -> Plan {
    let [channels, height, width] = image;
    let backbones = nets.into_iter().map(|net| {
        let (prelude, body) = (layout(&net.prelude), layout(&net.body));
        BackbonePlan { net, cost: Cost::default(), prelude, body }
    });
    let backbones: Vec<_> = backbones.collect();
    let extent = |layout: &Layout| layout.places.iter().flatten().map(|p| p.offset + p.elements).max().unwrap_or(0);
    let arena = backbones.iter().map(|b| extent(&b.prelude).max(extent(&b.body))).max().unwrap_or(0);
    let spec = PairSpec {
        name: "Hand".into(),
        doc: String::new(),
        image: ImageShape { channels, height, width },
        process: Process { betas: Betas::Linear { first: 1e-4, last: 2e-2 }, steps: 1000 },
        time: TimeMap { times: 1.0, over: 1000.0, plus: 0.0 },
        predicts: Prediction::Epsilon,
        classes: classes.map(|count| Classes { count, null: Some(count - 1) }),
        guidance: None,
        backbones: backbones.iter().map(|b| BackboneSpec { name: b.net.body.name.clone(), process: None, time: None }).collect(),
        phases: vec![Phase { backbone: 0, first: 999, last: 0 }],
        history: History::Carry,
    };
    Plan { spec, backbones, arena }
}
