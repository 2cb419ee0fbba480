//! Launches of small pairs: every operator is launched, places do not overlap, and what depends on the batch is in proportion to it.

use super::{Address, Argument, DevicePlan, Element, Entries, Gpu, Launch, Module, Precision, Region, WARPGROUP_TILES, modules};
use crate::passes::optimize;
use crate::plan::{Plan, plan};
use crate::program::{Op, Origin};
use crate::target::Sm;
use crate::tests::pairs::spec;
use crate::tests::uvit::Uvit;

/// A pair with classes and a network between sinusoid and tokens, after `passes` passes.
fn tiny(passes: Option<usize>) -> Plan {
    wide(passes, 16)
}

/// The same of another width.
fn wide(passes: Option<usize>, width: usize) -> Plan {
    let uvit = Uvit { mlp_time: true, classes: Some(3), ..Uvit::new([3, 8, 8], 2, width, 2, 3) };
    let nets = [3, 5].map(|depth| {
        let mut net = Uvit { depth, ..uvit }.net(if depth == 3 { "shallow" } else { "deep" });
        let cost = net.cost();
        optimize(&mut net, passes).unwrap();
        (net, cost)
    });
    plan(spec(uvit.image, uvit.classes), nets.into()).unwrap()
}

fn device(precision: Precision) -> DevicePlan {
    DevicePlan::new(&tiny(None), precision, Sm::Sm80).unwrap()
}

/// Every address of a launch.
fn addresses(launch: &Launch) -> Vec<&Address> {
    launch.arguments.iter().filter_map(Argument::address).collect()
}

#[test]
fn no_places_overlap_at_any_stage_batch_or_precision() {
    for passes in 0..=crate::passes::ALL.len() {
        for precision in Precision::ALL {
            let device = DevicePlan::new(&tiny(Some(passes)), precision, Sm::Sm90a).unwrap();
            let folded = DevicePlan::new(&wide(Some(passes), 64), precision, Sm::Sm90a).unwrap();
            for (device, batch) in [&device, &folded].into_iter().flat_map(|device| [1, 3, 8].map(|batch| (device, batch))) {
                assert!(device.prove(batch).unwrap() <= device.arena * batch);
            }
        }
    }
}

#[test]
fn an_arena_too_small_is_seen() {
    let mut device = device(Precision::Bf16);
    device.arena -= 256;
    assert!(device.prove(2).unwrap_err().to_string().contains("of an arena of"));
}

#[test]
fn places_start_on_lines_and_lie_in_the_arena() {
    for batch in [1, 3] {
        let device = device(Precision::Bf16);
        for launch in device.body(1, batch, Entries::Step).unwrap() {
            for address in addresses(&launch).into_iter().filter(|address| address.region == Region::Arena) {
                assert!((address.offset as usize) < device.arena * batch);
            }
        }
        assert!(device.backbones.iter().flat_map(|net| net.body.layout.places.iter().flatten()).all(|place| place.offset % 256 == 0));
    }
}

#[test]
fn norms_are_launched_by_themselves() {
    let (plan, device) = (tiny(None), device(Precision::F32));
    let norms = |op: &&Op| matches!(op, Op::Linear(linear) if linear.norm.is_some());
    let fused = plan.backbones[1].net.body.ops.iter().filter(norms).count();
    let launches = device.body(1, 2, Entries::Step).unwrap();
    let launched = launches.iter().filter(|launch| launch.kernel.entry == "norm_f32").count();
    // The last one is part of the tail.
    assert!(fused > 1 && launched == fused - 1, "{launched} of {fused}");
}

/// All but the one that reads what is no product, and those of which the table says so; where parameters are folded, the checkpoint's
/// are not uploaded.
#[test]
fn norms_are_folded_into_products_of_bfloat16() {
    let plan = wide(None, 64);
    let launched = |precision, gpu| {
        let device = DevicePlan::with_table(&plan, precision, gpu).unwrap();
        let norms = device.body(1, 2, Entries::Step).unwrap().iter().filter(|launch| launch.kernel.entry.starts_with("norm_")).count();
        let params = device.params(1).unwrap();
        (norms, params.iter().filter(|region| matches!(region, Region::Folded(_))).count(), params)
    };
    let gpu = Gpu::of(Sm::Sm90a);
    let all = plan.backbones[1].net.body.ops.iter().filter(|op| matches!(op, Op::Linear(linear) if linear.norm.is_some())).count();
    let (norms, folded, params) = launched(Precision::Bf16, gpu);
    // The tail reads statistics, and the checkpoint's parameters; its product by itself, as operators are verified, reads folded ones.
    assert_eq!((norms, folded), (1, 3 * (all - 1)));
    let has = |key: &str| params.iter().any(|region| matches!(region, Region::Param { key: known, .. } if known == key));
    assert!(has("in_blocks.0.norm1.weight") && !has("in_blocks.0.norm2.weight") && !has("in_blocks.0.mlp.fc1.bias"));
    for gpu in [Gpu { folds_norms: false, ..gpu }, Gpu { warpgroup_tiles: Some(WARPGROUP_TILES), ..gpu }] {
        assert!(matches!(launched(Precision::Bf16, gpu), (norms, 0, _) if norms == all - 1));
    }
    assert!(matches!(launched(Precision::Tf32, gpu), (norms, 0, _) if norms == all - 1));
}

/// What the product that writes rows leaves behind them is what the product that reads them finds there, whichever rows it reads.
#[test]
fn statistics_are_read_where_they_were_written() {
    let device = DevicePlan::new(&wide(None, 64), Precision::Bf16, Sm::Sm90a).unwrap();
    for batch in [1, 3] {
        let launches = device.body(1, batch, Entries::Step).unwrap();
        // Where rows and their statistics start, by the first.
        let mut written = std::collections::BTreeMap::<u64, u64>::new();
        let mut read = 0;
        for launch in launches.iter().filter(|launch| matches!(launch.kernel.module, Module::LinearMma(Element::Bf16, _))) {
            let [Argument::Window(x), .., Argument::Window(statistics), _, _, Argument::Pointer(summary)] = &launch.arguments[..] else {
                panic!("{launch}")
            };
            if let (Some(base), Some(rows)) = (&statistics.base, &x.base) {
                // Rows from the first one on; statistics of 64 columns are two entries of 8 bytes.
                let (start, summary) = written.range(..=rows.offset).next_back().unwrap();
                assert_eq!(base.offset - summary, (rows.offset - start) / 128 * 16, "{launch}");
                assert_eq!((statistics.rows, statistics.columns, statistics.image * 32), (x.rows, 2, x.image));
                read += 1;
            }
            if let (Argument::Pointer(Some(out)), Some(summary)) = (&launch.arguments[5], summary) {
                written.insert(out.offset, summary.offset);
            }
        }
        assert!(read > 5, "{read}");
    }
}

#[test]
fn the_last_launch_writes_the_output() {
    for precision in Precision::ALL {
        let launches = device(precision).body(0, 2, Entries::Step).unwrap();
        let writes = |launch: &Launch| addresses(launch).iter().any(|address| address.region == Region::Output);
        assert_eq!(launches.iter().filter(|launch| writes(launch)).count(), 1);
        assert!(writes(launches.last().unwrap()));
    }
}

#[test]
fn tables_are_read_by_step_or_by_image() {
    let device = device(Precision::F32);
    let windows = |entries| {
        let launches = device.body(0, 2, entries).unwrap();
        let arguments: Vec<_> = launches.into_iter().flat_map(|launch| launch.arguments).collect();
        arguments.into_iter().find_map(|argument| match argument {
            Argument::Window(window) if window.base.as_ref().is_some_and(|base| matches!(base.region, Region::Table(_))) => {
                Some((window.image, window.step))
            }
            _ => None,
        })
    };
    assert_eq!(windows(Entries::Step), Some((0, 16)));
    assert_eq!(windows(Entries::Image), Some((16, 0)));
}

#[test]
fn parameters_have_the_types_that_kernels_read() {
    let device = device(Precision::Bf16);
    let params = device.params(0).unwrap();
    let has = |key: &str, element| params.contains(&Region::Param { key: key.to_owned(), element });
    assert!(has("mid_block.attn.qkv.weight", Element::Bf16) && !has("mid_block.attn.qkv.weight", Element::F32));
    assert!(has("mid_block.norm1.weight", Element::F32) && has("mid_block.mlp.fc1.bias", Element::F32));
    assert!(has("pos_embed", Element::Bf16) && has("label_emb.weight", Element::Bf16));
    assert!(has("final_layer.weight", Element::F32) && has("time_embed.0.weight", Element::F32));
    let net = &tiny(None).backbones[0].net;
    let keys: std::collections::BTreeSet<_> = net.prelude.params().chain(net.body.params()).map(|(_, key, _)| key.to_owned()).collect();
    let found = params.into_iter().filter_map(|region| if let Region::Param { key, .. } = region { Some(key) } else { None });
    assert_eq!(found.collect::<std::collections::BTreeSet<_>>(), keys);
}

#[test]
fn modules_do_not_depend_on_the_batch() {
    for precision in Precision::ALL {
        let (plan, device) = (tiny(None), device(precision));
        let known = modules(&plan, precision).unwrap();
        assert!(known.contains(&Module::Image) && known.contains(&Module::Tokens(precision.element())));
        for batch in [1, 2, 7, 64, 1000] {
            for backbone in [0, 1] {
                let launches = [device.prelude(backbone, batch).unwrap(), device.body(backbone, batch, Entries::Image).unwrap()].concat();
                assert!(launches.iter().all(|launch| known.contains(&launch.kernel.module)));
            }
        }
    }
}

#[test]
fn too_large_a_batch_is_refused() {
    let error = device(Precision::F32).body(0, 1 << 40, Entries::Step).unwrap_err();
    assert!(error.to_string().ends_with("take a smaller batch"), "{error}");
}

/// As raised: what no recogniser claimed runs too, and the sinusoid is copied to it.
#[test]
fn primitives_read_copies_of_entries() {
    let mut plan = tiny(Some(0));
    let body = &mut plan.backbones[0].net.body;
    let sinusoid = body.values.iter().position(|value| value.origin == Origin::Sinusoid).unwrap();
    let x = crate::program::ValueId::new(sinusoid);
    let view =
        crate::program::View { value: x, axes: [None, Some(1), Some(16)].map(crate::program::Axis::whole).into(), order: vec![0, 1, 2] };
    let out = body.add_value([1, 16], Origin::Op);
    let f = crate::program::PrimitiveFn::Sin;
    body.ops.insert(0, Op::Primitive(crate::program::Primitive { f, inputs: vec![view], out }));
    let device = DevicePlan::new(&plan, Precision::Bf16, Sm::Sm80).unwrap();
    let launches = device.body(0, 3, Entries::Step).unwrap();
    assert!(launches[0].to_string().starts_with("copy_bf16<<<1, 256>>>(sinusoid:bf16[1 x 16 image 0 step 16], @"), "{}", launches[0]);
    assert!(launches[1].to_string().starts_with("primitive<<<1, 256>>>(4, 0.0, @"), "{}", launches[1]);
    assert!(launches[1].to_string().contains(":bf16[3*16, 1*16, 16*1], -, @"), "{}", launches[1]);
}

/// On warpgroups: a residual, two sources, rows of which an image has fewer than the residual. What the copy engine does not take goes elsewhere.
#[test]
fn tensors_are_recipes() {
    let gpu = Gpu { warpgroup_tiles: Some(WARPGROUP_TILES), ..Gpu::of(Sm::Sm90a) };
    let wide = Uvit::new([3, 8, 8], 2, 64, 2, 3);
    let mut net = wide.net("wide");
    let cost = net.cost();
    optimize(&mut net, None).unwrap();
    let plan = plan(spec(wide.image, wide.classes), vec![(net.clone(), cost), (net, cost)]).unwrap();
    let device = DevicePlan::with_table(&plan, Precision::Bf16, gpu).unwrap();
    let launches = device.body(0, 3, Entries::Step).unwrap();
    let lines: Vec<String> = launches.iter().map(Launch::to_string).filter(|line| line.contains("linear_")).collect();
    for wanted in [
        r#"linear_bf16_none<<<1, 256, 8704>>>(@0[16 x 12], -, "patch_embed.proj.weight":bf16, "patch_embed.proj.bias":f32, -, @6912, 48, 64, 12, step)"#,
        r#"linear_wgmma_bf16_64x64_gelu<<<4, 160, 108640>>>(@26112[bf16 51 x 64 by 64 x 64 swizzle 128], -, "in_blocks.0.mlp.fc1.weight":bf16[bf16 256 x 64 by 64 x 64 swizzle 128], "in_blocks.0.mlp.fc1.bias":f32, -, @0, 51, 256, 64, 0, 0, 0, step)"#,
        r#"linear_wgmma_bf16_64x64_none<<<1, 160, 108640>>>(@33024[bf16 51 x 64 by 64 x 64 swizzle 128], @26112[bf16 51 x 64 by 64 x 64 swizzle 128], "out_blocks.0.skip_linear.weight":bf16[bf16 64 x 128 by 64 x 64 swizzle 128], "out_blocks.0.skip_linear.bias":f32, -, @39936, 51, 64, 64, 64, 0, 0, step)"#,
        r#"linear_wgmma_bf16_64x64_none<<<1, 160, 108640>>>(@19968[bf16 48 x 64 by 64 x 64 swizzle 128], -, "out_blocks.0.attn.proj.weight":bf16[bf16 64 x 64 by 64 x 64 swizzle 128], "out_blocks.0.attn.proj.bias":f32, @40064[16 x 64 image 1088], @26112, 48, 64, 64, 0, 0, 0, step)"#,
    ] {
        assert!(lines.iter().any(|line| line == wanted), "{wanted}\nis not among\n{}", lines.join("\n"));
    }
}
