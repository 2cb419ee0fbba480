//! Executes a plan without arithmetic and proves that no live buffers overlap.
//!
//! It knows nothing of the planner's lifetimes: it keeps a map of who wrote each stretch of the arena last, and every read asks
//! whether the value is still there, whole. The planner's lifetimes are then checked against what was seen.

mod memory;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::plan::{Layout, Place, Plan};
use crate::program::{Op, Origin, Program, ValueId, VerifyError};

use memory::Memory;

/// What an execution saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Operators launched: all preludes and bodies once.
    pub launches: usize,
    /// The end of the furthest write, in elements of the arena at this batch.
    pub extent: usize,
}

/// A plan that would compute nonsense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{program}: {fault}")]
pub struct NullError {
    /// E.g. `body of deep`.
    pub program: String,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The program breaks a rule.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Not one entry per value.
    #[error("{found} places found, {wanted} wanted -- one entry per value")]
    Count {
        /// Entries of the layout.
        found: usize,
        /// Values of the program.
        wanted: usize,
    },
    /// A value that an operator writes has no place.
    #[error("{0} is written, but has no place in the arena")]
    Nowhere(ValueId),
    /// An input or a parameter has a place.
    #[error("{0} is no operator's result, but has a place in the arena")]
    Superfluous(ValueId),
    /// A place of another size than its value.
    #[error("{value} has a place of {found} elements, {wanted} wanted")]
    Size {
        /// The value.
        value: ValueId,
        /// Elements of the place.
        found: usize,
        /// Elements of the value.
        wanted: usize,
    },
    /// A place that does not start on a cache line.
    #[error("{value} lies at offset {offset}, a multiple of 16 wanted")]
    Unaligned {
        /// The value.
        value: ValueId,
        /// Its offset.
        offset: usize,
    },
    /// A place beyond the arena.
    #[error("{value} ends at element {end} of an arena of {arena}")]
    Outside {
        /// The value.
        value: ValueId,
        /// Its end at this batch.
        end: usize,
        /// The size of the arena at this batch.
        arena: usize,
    },
    /// An operator that writes over what it reads.
    #[error("operator {op} writes {writes} over {reads}, which it reads")]
    InPlace {
        /// Index of the operator.
        op: usize,
        /// Its result.
        writes: ValueId,
        /// Its input.
        reads: ValueId,
    },
    /// A read of what is gone.
    #[error("{reader} reads {value}, which {} in part or whole", overwriter.map_or("nobody wrote".into(), |by| format!("{by} overwrote")))]
    Clobbered {
        /// `operator 7`, or `the caller`.
        reader: String,
        /// The value that is read.
        value: ValueId,
        /// Whose content lies there.
        overwriter: Option<ValueId>,
    },
    /// A lifetime that is not the one seen.
    #[error("{value} lives from operator {} to {}, seen from {} to {}", planned.start(), planned.end(), seen.start(), seen.end())]
    Lifetime {
        /// The value.
        value: ValueId,
        /// As planned.
        planned: std::ops::RangeInclusive<usize>,
        /// As seen.
        seen: std::ops::RangeInclusive<usize>,
    },
}

/// Executes every prelude and body of a plan for `batch` images in an arena without content.
pub fn run(plan: &Plan, batch: usize) -> Result<Trace, NullError> {
    let mut trace = Trace::default();
    for backbone in &plan.backbones {
        let name = &backbone.net.body.name;
        let parts = [("prelude", &backbone.net.prelude, &backbone.prelude), ("body", &backbone.net.body, &backbone.body)];
        for (part, program, layout) in parts {
            let extent = run_program(program, layout, batch, plan.arena, &|id| program.value(id).elements());
            let extent = extent.map_err(|fault| NullError { program: format!("{part} of {name}"), fault })?;
            trace.extent = trace.extent.max(extent);
            trace.launches += program.ops.len();
        }
        let fault = backbone.net.verify().map_err(Fault::Verify);
        fault.map_err(|fault| NullError { program: name.clone(), fault })?;
    }
    Ok(trace)
}

/// Executes one program in an arena of `arena` per image, in the unit of its layout, of which a value takes `size`. Returns the end of
/// the furthest write.
pub fn run_program(
    program: &Program,
    layout: &Layout,
    batch: usize,
    arena: usize,
    size: &dyn Fn(ValueId) -> usize,
) -> Result<usize, Fault> {
    Execution { program, layout, batch, arena, size, memory: Memory::default(), seen: vec![] }.run()
}

/// One program on its way.
struct Execution<'a> {
    program: &'a Program,
    layout: &'a Layout,
    batch: usize,
    arena: usize,
    size: &'a dyn Fn(ValueId) -> usize,
    memory: Memory,
    /// By value: the operators that wrote it and that read it last.
    seen: Vec<(usize, usize)>,
}

impl Execution<'_> {
    fn run(&mut self) -> Result<usize, Fault> {
        self.program.verify()?;
        self.check_places()?;
        self.seen = vec![(0, 0); self.program.values.len()];
        let mut extent = 0;
        for (index, op) in self.program.ops.iter().enumerate() {
            for input in op.inputs() {
                self.read(input.value(), index, || format!("operator {index}"))?;
            }
            extent = extent.max(self.write(op, index)?);
        }
        for output in &self.program.outputs {
            self.read(*output, self.program.ops.len(), || "the caller".into())?;
        }
        self.check_lifetimes()?;
        Ok(extent)
    }

    /// Every written value has a place of its size, on a cache line; nothing else has one.
    fn check_places(&self) -> Result<(), Fault> {
        let (found, wanted) = (self.layout.places.len(), self.program.values.len());
        if found != wanted {
            return Err(Fault::Count { found, wanted });
        }
        let mut is_written = vec![false; wanted];
        for op in &self.program.ops {
            is_written[op.out().index()] = true;
        }
        for (index, is_written) in is_written.into_iter().enumerate() {
            let value = ValueId::new(index);
            match (is_written, self.layout.place(value)) {
                (true, None) => return Err(Fault::Nowhere(value)),
                (false, Some(_)) => return Err(Fault::Superfluous(value)),
                (true, Some(place)) => self.check_place(value, place)?,
                (false, None) => {}
            }
        }
        Ok(())
    }

    fn check_place(&self, value: ValueId, place: Place) -> Result<(), Fault> {
        let wanted = (self.size)(value);
        if place.elements != wanted {
            return Err(Fault::Size { value, found: place.elements, wanted });
        }
        if !place.offset.is_multiple_of(16) {
            return Err(Fault::Unaligned { value, offset: place.offset });
        }
        let (end, arena) = ((place.offset + place.elements) * self.batch, self.arena * self.batch);
        if end > arena {
            return Err(Fault::Outside { value, end, arena });
        }
        Ok(())
    }

    /// Where a value lies at this batch; a value that is the same for all images needs one image's share only.
    fn range(&self, id: ValueId) -> Option<Range<usize>> {
        let place = self.layout.place(id)?;
        let copies = if self.program.value(id).origin == Origin::Shared { 1 } else { self.batch };
        Some(place.offset * self.batch..place.offset * self.batch + place.elements * copies)
    }

    fn read(&mut self, id: ValueId, moment: usize, reader: impl Fn() -> String) -> Result<(), Fault> {
        let Some(range) = self.range(id) else { return Ok(()) };
        self.seen[id.index()].1 = moment;
        self.memory.find_other(range, id).map_or(Ok(()), |overwriter| Err(Fault::Clobbered { reader: reader(), value: id, overwriter }))
    }

    fn write(&mut self, op: &Op, index: usize) -> Result<usize, Fault> {
        let out = op.out();
        let Some(range) = self.range(out) else { return Ok(0) };
        for input in op.inputs() {
            let read = self.range(input.value());
            if read.is_some_and(|read| read.start < range.end && range.start < read.end) {
                return Err(Fault::InPlace { op: index, writes: out, reads: input.value() });
            }
        }
        self.seen[out.index()] = (index, index);
        self.memory.write(range.clone(), out);
        Ok(range.end)
    }

    fn check_lifetimes(&self) -> Result<(), Fault> {
        for (index, (born, dies)) in self.seen.iter().enumerate() {
            let value = ValueId::new(index);
            let Some(place) = self.layout.place(value) else { continue };
            if (place.born, place.dies) != (*born, *dies) {
                return Err(Fault::Lifetime { value, planned: place.born..=place.dies, seen: *born..=*dies });
            }
        }
        Ok(())
    }
}
