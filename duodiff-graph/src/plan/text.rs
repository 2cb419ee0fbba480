//! Plans as text: one line per launch with its place in the arena, for people; machines read the JSON.

use std::fmt::{self, Display, Formatter};

use crate::program::Program;

use super::{BackbonePlan, Layout, Plan};

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: arena of {} floats per image, {} bytes", self.spec.name, self.arena, self.arena_bytes(1))?;
        for backbone in &self.backbones {
            write!(f, "{backbone}")?;
        }
        Ok(())
    }
}

impl Display for BackbonePlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.net.body.name;
        writeln!(f, "backbone {name}: {} parameters, {:.2} GFLOP per image", self.cost.params, self.cost.flops as f64 / 1e9)?;
        if !self.net.prelude.outputs.is_empty() {
            write_layout(f, "prelude", &self.net.prelude, &self.prelude)?;
        }
        write_layout(f, "body", &self.net.body, &self.body)
    }
}

fn write_layout(f: &mut Formatter<'_>, what: &str, program: &Program, layout: &Layout) -> fmt::Result {
    writeln!(f, "  {what}: {} launches, {} floats, {} live at most", program.ops.len(), layout.extent(), layout.most_live())?;
    for (index, op) in program.ops.iter().enumerate() {
        let place = match layout.place(op.out()) {
            Some(place) => format!("@{}..{} until {}", place.offset, place.offset + place.elements, place.dies),
            None => "nowhere".into(),
        };
        writeln!(f, "    {index:>3} {place:<28} {}", program.text_of(op))?;
    }
    Ok(())
}
