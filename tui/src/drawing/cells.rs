//! A drawing on a terminal: characters, and what each is part of.

use unicode_segmentation::UnicodeSegmentation;

use super::layout::{Drawing, Place, lines};
use super::sketch::Kind;
use crate::words::text::width;

/// What a character is part of, for whoever gives it a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ink {
    /// Nothing.
    #[default]
    Blank,
    /// The frame of a node.
    Frame(usize),
    /// The heading of a node.
    Heading(usize),
    /// What else is said of a node.
    Line(usize),
    /// The numbers of a node's stages.
    Number(usize),
    /// An edge.
    Wire(usize),
    /// The words of an edge.
    Label(usize),
}

/// A character, or the right half of a wide one (empty).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) ink: Ink,
}

/// Which characters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glyphs {
    /// Box drawing.
    Unicode,
    /// ASCII alone.
    Ascii,
}

/// A part of a drawing, as characters.
#[derive(Debug, Clone)]
pub(crate) struct Cells {
    window: Place,
    cells: Vec<Cell>,
    /// Which edges' lines leave a cell, by direction.
    lines: Vec<u8>,
    glyphs: Glyphs,
}

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

impl Cells {
    /// Draws what can be seen through this window. `chosen` is the edge that is drawn over all others.
    pub(crate) fn new(drawing: &Drawing, window: Place, glyphs: Glyphs, chosen: Option<usize>) -> Cells {
        let size =
            usize::try_from(window.width.max(0)).unwrap_or(0) * usize::try_from(window.height.max(0)).unwrap_or(0);
        let mut cells = Cells { window, cells: vec![Cell::default(); size], lines: vec![0; size], glyphs };
        let order = (0..drawing.wires.len()).filter(|i| Some(*i) != chosen).chain(chosen);
        for i in order.clone() {
            cells.wire(&drawing.wires[i].points, Ink::Wire(i));
        }
        cells.draw_lines();
        for i in order {
            cells.label(drawing, i);
        }
        for node in 0..drawing.places.len() {
            cells.node(drawing, node);
        }
        cells
    }

    /// Rows of characters, from the top.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks(usize::try_from(self.window.width).unwrap_or(0).max(1))
    }

    /// As plain text.
    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        let row = |cells: &[Cell]| {
            let text: String = cells.iter().map(|c| if c.ink == Ink::Blank { " " } else { c.text.as_str() }).collect();
            text.trim_end().to_owned() + "\n"
        };
        self.rows().map(row).collect()
    }

    fn index(&self, x: i32, y: i32) -> Option<usize> {
        let (x, y) = (x - self.window.x, y - self.window.y);
        let inside = (0..self.window.width).contains(&x) && (0..self.window.height).contains(&y);
        inside.then(|| usize::try_from(y * self.window.width + x).ok()).flatten()
    }

    fn put(&mut self, x: i32, y: i32, text: &str, ink: Ink) {
        if let Some(i) = self.index(x, y) {
            self.cells[i] = Cell { text: text.to_owned(), ink };
        }
    }

    /// Writes words; gives the column after them.
    fn write(&mut self, mut x: i32, y: i32, words: &str, ink: Ink) -> i32 {
        for grapheme in words.graphemes(true) {
            let wide = i32::try_from(width(grapheme)).unwrap_or(1);
            let whole = self.index(x, y).is_some() && self.index(x + wide - 1, y).is_some();
            for i in 0..wide {
                let text = match i {
                    // Half of a wide character cannot be shown.
                    0 if whole => grapheme,
                    _ if whole => "",
                    _ => " ",
                };
                self.put(x + i, y, text, ink);
            }
            x += wide;
        }
        x
    }

    fn wire(&mut self, points: &[(i32, i32)], ink: Ink) {
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let (dx, dy) = ((x1 - x0).signum(), (y1 - y0).signum());
            let (out, back) = match (dx, dy) {
                (1, _) => (RIGHT, LEFT),
                (-1, _) => (LEFT, RIGHT),
                (_, 1) => (DOWN, UP),
                _ => (UP, DOWN),
            };
            let steps = (x1 - x0).abs().max((y1 - y0).abs());
            for step in 0..=steps {
                let Some(i) = self.index(x0 + dx * step, y0 + dy * step) else { continue };
                self.lines[i] |= if step < steps { out } else { 0 } | if step > 0 { back } else { 0 };
                self.cells[i].ink = ink;
            }
        }
    }

    fn draw_lines(&mut self) {
        for (cell, lines) in self.cells.iter_mut().zip(&self.lines) {
            if *lines != 0 {
                cell.text = line(*lines, self.glyphs).to_owned();
            }
        }
    }

    fn label(&mut self, drawing: &Drawing, edge: usize) {
        let wire = &drawing.wires[edge];
        let Some(&(x, y)) = wire.points.last() else { return };
        let head = match (self.glyphs, wire.back) {
            (Glyphs::Unicode, false) => "▶",
            (Glyphs::Unicode, true) => "◀",
            (Glyphs::Ascii, false) => ">",
            (Glyphs::Ascii, true) => "<",
        };
        self.put(x, y, head, Ink::Wire(edge));
        let words = if self.glyphs == Glyphs::Ascii { wire.words.replace('…', "~") } else { wire.words.clone() };
        self.write(wire.label.0, wire.label.1, &words, Ink::Label(edge));
    }

    fn node(&mut self, drawing: &Drawing, index: usize) {
        let (node, place) = (&drawing.sketch.nodes[index], drawing.places[index]);
        let [across, down, a, b, c, d] = frame(node.kind, node.involved, self.glyphs);
        let ink = Ink::Frame(index);
        let (right, bottom) = (place.right() - 1, place.bottom() - 1);
        for y in place.y..=bottom {
            for x in place.x..=right {
                let text = match (x == place.x, x == right, y == place.y, y == bottom) {
                    (true, _, true, _) => a,
                    (_, true, true, _) => b,
                    (true, _, _, true) => c,
                    (_, true, _, true) => d,
                    (_, _, true, _) | (_, _, _, true) => across,
                    (true, ..) | (_, true, ..) => down,
                    _ => " ",
                };
                self.put(x, y, text, ink);
            }
        }
        let (times, dot) = match self.glyphs {
            Glyphs::Unicode => ("×", "·"),
            Glyphs::Ascii => ("x", "."),
        };
        let numbers = node.numbers(dot);
        if !numbers.is_empty() {
            self.write(place.x + 2, place.y, &format!(" {numbers} "), Ink::Number(index));
        }
        for (i, text) in lines(node, drawing.detail, times).iter().enumerate() {
            let ink = if i == 0 { Ink::Heading(index) } else { Ink::Line(index) };
            let text = if self.glyphs == Glyphs::Ascii { text.replace('…', "~") } else { text.clone() };
            let y = place.y + 1 + i32::try_from(i).unwrap_or(0);
            self.write(place.x + 2, y, &text, ink);
        }
    }
}

/// The character for lines that leave in these directions.
fn line(directions: u8, glyphs: Glyphs) -> &'static str {
    const UNICODE: [&str; 16] = [" ", "│", "│", "│", "─", "╯", "╮", "┤", "─", "╰", "╭", "├", "─", "┴", "┬", "┼"];
    let directions = usize::from(directions & 15);
    match glyphs {
        Glyphs::Unicode => UNICODE[directions],
        Glyphs::Ascii => match directions {
            0 => " ",
            1..=3 => "|",
            4 | 8 | 12 => "-",
            _ => "+",
        },
    }
}

/// The frame of a kind of node: across, down, and its corners. Who only stands by has a broken one.
fn frame(kind: Kind, involved: bool, glyphs: Glyphs) -> [&'static str; 6] {
    match (glyphs, kind, involved) {
        (Glyphs::Unicode, Kind::Process, true) => ["─", "│", "┌", "┐", "└", "┘"],
        (Glyphs::Unicode, Kind::Process, false) => ["╌", "╎", "┌", "┐", "└", "┘"],
        (Glyphs::Unicode, Kind::File, _) => ["─", "│", "╭", "╮", "╰", "╯"],
        (Glyphs::Unicode, Kind::Peer, _) => ["═", "║", "╔", "╗", "╚", "╝"],
        (Glyphs::Unicode, Kind::Container, _) => ["━", "┃", "┏", "┓", "┗", "┛"],
        (Glyphs::Ascii, Kind::Process, true) => ["-", "|", "+", "+", "+", "+"],
        (Glyphs::Ascii, Kind::Process, false) => [".", ":", "+", "+", "+", "+"],
        (Glyphs::Ascii, Kind::File, _) => ["-", "|", ".", ".", "'", "'"],
        (Glyphs::Ascii, Kind::Peer, _) => ["=", "I", "+", "+", "+", "+"],
        (Glyphs::Ascii, Kind::Container, _) => ["#", "#", "#", "#", "#", "#"],
    }
}
