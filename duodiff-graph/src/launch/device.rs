//! A plan prepared for a kind of GPU: its programs as they are launched, and where their values lie, in bytes.

use std::collections::BTreeSet;

use super::folds::{self, ENTRY, PART};
use super::unfused::unfuse;
use super::{Address, Argument, Element, Gpu, Launch, LaunchError, Module, Precision, Region, lower, solver};
use crate::null::{self, NullError};
use crate::plan::{Layout, Plan};
use crate::program::{Origin, Part, Program, Value, ValueId};
use crate::spec::ImageShape;
use crate::target::Sm;

/// Places start at multiples of this many bytes at every batch: what a block of the GPU's memory holds.
const LINE: usize = 256;

/// A plan for a kind of GPU, in a precision.
#[derive(Clone, Debug, PartialEq)]
pub struct DevicePlan {
    /// Shape of the pair's images.
    pub image: ImageShape,
    /// What products are computed in.
    pub precision: Precision,
    /// The kind of GPU.
    pub gpu: Gpu,
    /// One per backbone, in the order of declaration.
    pub backbones: Vec<DeviceNet>,
    /// Bytes per image of the arena that all programs share.
    pub arena: usize,
}

/// A backbone's two programs.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceNet {
    /// What depends on the step alone; its "images" are steps. All float32.
    pub prelude: DeviceProgram,
    /// The rest.
    pub body: DeviceProgram,
}

/// A program as it is launched.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceProgram {
    /// The program, its norms by themselves but for those that are folded.
    pub program: Program,
    /// Values that have the statistics of their rows behind them.
    pub(super) summed: BTreeSet<ValueId>,
    /// Where its values lie: bytes per image.
    pub layout: Layout,
    /// What its products are computed in.
    pub precision: Precision,
}

/// What one operator launches.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// One after the other.
    pub launches: Vec<Launch>,
    /// Where its output lies until another is written there.
    pub out: Address,
    /// The output's type.
    pub element: Element,
    /// Its elements, over all images.
    pub count: usize,
}

/// Which entry of a table of steps an image reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// All images that of the current step: trajectories.
    Step,
    /// Image i entry i: single evaluations, whose images may have times of their own.
    Image,
}

impl DevicePlan {
    /// Prepares a plan. An operator that no kernel can execute is refused here, so that [`Self::body`] and [`Self::prelude`] fail for
    /// too large a batch only.
    pub fn new(plan: &Plan, precision: Precision, target: Sm) -> Result<Self, LaunchError> {
        Self::with_table(plan, precision, Gpu::of(target))
    }

    /// The same with another entry for the kind of GPU: for measurements of what is not chosen by default.
    pub fn with_table(plan: &Plan, precision: Precision, gpu: Gpu) -> Result<Self, LaunchError> {
        let net = |net: &crate::program::Net| DeviceNet {
            prelude: DeviceProgram::new(&net.prelude, Precision::F32, gpu),
            body: DeviceProgram::new(&net.body, precision, gpu),
        };
        let backbones: Vec<_> = plan.backbones.iter().map(|backbone| net(&backbone.net)).collect();
        let extents = backbones.iter().flat_map(|net| [net.prelude.layout.extent(), net.body.layout.extent()]);
        let arena = extents.max().unwrap_or_default().next_multiple_of(LINE);
        let prepared = Self { image: plan.spec.image, precision, gpu, backbones, arena };
        prepared.modules()?;
        Ok(prepared)
    }

    /// The launches of one evaluation of a backbone for `batch` images: from [`Region::Image`] to [`Region::Output`].
    pub fn body(&self, backbone: usize, batch: usize, entries: Entries) -> Result<Vec<Launch>, LaunchError> {
        lower::body(&self.backbones[backbone].body, self.gpu, batch, entries)
    }

    /// Refuses a batch for which something cannot be launched; smaller ones than a good one are good.
    pub fn check_batch(&self, batch: usize) -> Result<(), LaunchError> {
        let elements = self.image.elements();
        for launch in [solver::start(0, elements, batch), solver::update(0, elements, batch), solver::guide(0.0, elements, batch)] {
            launch?;
        }
        (0..self.backbones.len()).try_for_each(|backbone| self.body(backbone, batch, Entries::Image).map(|_| ()))
    }

    /// The launches that fill the tables of a backbone for `steps` steps: from [`Region::Sinusoid`] to [`Region::Table`].
    pub fn prelude(&self, backbone: usize, steps: usize) -> Result<Vec<Launch>, LaunchError> {
        lower::prelude(&self.backbones[backbone].prelude, self.gpu, steps, self.precision.element())
    }

    /// The launches of a part of a backbone for `batch` images, each with an entry of its own in the tables, operator by operator: those that
    /// [`Self::body`] makes one kernel of, too.
    pub fn stages(&self, backbone: usize, part: Part, batch: usize) -> Result<Vec<Stage>, LaunchError> {
        let net = &self.backbones[backbone];
        let (device, output) = match part {
            Part::Prelude => (&net.prelude, None),
            Part::Body => (&net.body, net.body.program.outputs.first().copied()),
        };
        lower::stages(device, self.gpu, batch, output)
    }

    /// How many steps the prelude of a backbone can be launched for at a time, in an arena of so many bytes.
    pub fn chunk(&self, backbone: usize, arena: usize) -> usize {
        (arena / self.backbones[backbone].prelude.layout.extent().max(1)).max(1)
    }

    /// The modules whose kernels are launched, at any batch.
    pub fn modules(&self) -> Result<BTreeSet<Module>, LaunchError> {
        // Images are drawn, and steps made, whatever the networks are.
        let mut modules = BTreeSet::from([Module::Image]);
        for backbone in 0..self.backbones.len() {
            modules.extend(self.launches(backbone)?.iter().map(|launch| launch.kernel.module));
        }
        Ok(modules)
    }

    /// The parameters that a backbone's launches read: regions that are parameters, or made of them.
    pub fn params(&self, backbone: usize) -> Result<BTreeSet<Region>, LaunchError> {
        let mut params = BTreeSet::new();
        let launches = self.launches(backbone)?;
        for address in launches.iter().flat_map(|launch| &launch.arguments).filter_map(Argument::address) {
            if matches!(address.region, Region::Param { .. } | Region::Folded(_)) {
                params.insert(address.region.clone());
            }
        }
        Ok(params)
    }

    /// All launches of a backbone for one image, those of its operators one by one among them. Which kernels they are does not depend on the batch.
    fn launches(&self, backbone: usize) -> Result<Vec<Launch>, LaunchError> {
        let mut launches = self.prelude(backbone, 1)?;
        launches.extend(self.body(backbone, 1, Entries::Step)?);
        for part in Part::ALL {
            launches.extend(self.stages(backbone, part, 1)?.into_iter().flat_map(|stage| stage.launches));
        }
        Ok(launches)
    }

    /// Executes every program without arithmetic: proves that no live values overlap at this batch. Returns the end of the furthest
    /// write, in bytes.
    pub fn prove(&self, batch: usize) -> Result<usize, NullError> {
        let programs = self.backbones.iter().flat_map(|net| [("prelude", &net.prelude), ("body", &net.body)]);
        let prove = |(part, device): (&str, &DeviceProgram)| {
            let extent = null::run_program(&device.program, &device.layout, batch, self.arena, &|id| device.bytes(id));
            extent.map_err(|fault| NullError { program: format!("{part} of {}", device.program.name), fault })
        };
        programs.map(prove).try_fold(0, |furthest, extent| Ok(furthest.max(extent?)))
    }
}

impl DeviceNet {
    /// Elements of the sinusoid that the programs read, 0 if they read none.
    pub fn sinusoid(&self) -> usize {
        let values = self.prelude.program.values.iter().chain(&self.body.program.values);
        values.filter(|value| value.origin == Origin::Sinusoid).map(Value::elements).max().unwrap_or_default()
    }

    /// Elements of an entry of each table that the prelude fills.
    pub fn tables(&self) -> Vec<usize> {
        let prelude = &self.prelude.program;
        prelude.outputs.iter().map(|output| prelude.value(*output).elements()).collect()
    }
}

impl DeviceProgram {
    fn new(program: &Program, precision: Precision, gpu: Gpu) -> Self {
        let folds = precision == Precision::Bf16 && gpu.folds_norms && gpu.warpgroup_tiles.is_none();
        let summed = if folds { folds::summed(program) } else { BTreeSet::new() };
        let program = unfuse(program, &summed);
        let mut device = Self { program, summed, layout: Layout { places: Vec::new() }, precision };
        device.layout = Layout::sized(&device.program, LINE, |id| device.bytes(id));
        device
    }

    /// The type of a value: images are float32.
    pub(super) fn element(&self, value: &Value) -> Element {
        if value.shape.len() == 3 { Element::F32 } else { self.precision.element() }
    }

    /// Bytes of a value, per image, without statistics.
    pub(super) fn own_bytes(&self, value: &Value) -> usize {
        value.elements() * self.element(value).bytes()
    }

    /// Bytes that a value needs, per image.
    fn bytes(&self, id: ValueId) -> usize {
        let value = self.program.value(id);
        let entries = if self.summed.contains(&id) { value.elements() / PART } else { 0 };
        self.own_bytes(value) + entries * ENTRY
    }
}
