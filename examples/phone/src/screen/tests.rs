use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;

/// Draws on a terminal of this size. Gives what can be read there, and whether the code can.
fn drawn(screen: &Screen, width: u16, height: u16) -> (String, bool) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    let mut shown = false;
    terminal.draw(|frame| shown = screen.draw(frame)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let row = |y| {
        let row: String = (0..width).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect();
        row.trim_end().to_owned() + "\n"
    };
    ((0..height).map(row).collect(), shown)
}

fn line(tone: Tone, text: &str) -> Line {
    Line { tone, text: text.to_owned() }
}

/// A band that waits for a press.
fn waiting() -> Screen {
    let own = |rows: &[(&'static str, &str)]| rows.iter().map(|(what, how)| (*what, (*how).to_owned())).collect();
    Screen {
        view: View {
            link: "connected".to_owned(),
            band: own(&[
                ("band", "3f9ac1d2… at 127.0.0.1:4002"),
                ("paired", "by a compared code"),
                ("worn", "yes"),
                ("unlocked", "yes"),
                ("enrolled", "credential 7f0e51c2a94d3b68"),
                ("limits", "200.00 CNY a payment, 50.00 CNY with a press alone"),
            ]),
            code: None,
            payment: own(&[
                ("to", "Tea House, certified by the issuer"),
                ("amount", "12.50 CNY"),
                ("for", "\"tea for two\""),
                ("state", "waits for a press on the band, to pay"),
            ]),
            awaited: Some("a press on the band, to pay".to_owned()),
            receipts: Vec::new(),
            hints: vec!["cancel", "disconnect", "help"],
        },
        log: vec![
            line(Tone::Good, "connected"),
            line(Tone::Plain, "Tea House, certified by the issuer asks for 12.50 CNY, \"tea for two\""),
            line(Tone::Ask, "the band waits for a press on the band, to pay. 'cancel' gives it up"),
        ],
        typed: "can".to_owned(),
    }
}

fn comparing() -> Screen {
    let mut screen = waiting();
    screen.view.code = Some("681 895".to_owned());
    screen.view.awaited = None;
    screen.view.hints = vec!["yes", "no"];
    screen
}

#[test]
fn the_readme_shows_what_is_drawn() {
    let (screen, _) = drawn(&waiting(), 96, 20);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&screen), "the README has another screen than\n{screen}");
}

#[test]
fn the_code_is_large_and_asked_about() {
    let (screen, shown) = drawn(&comparing(), 80, 24);
    assert!(shown && screen.contains("Compare") && screen.contains("Does the band show the same?"), "{screen}");
    assert!(screen.lines().last().is_some_and(|foot| foot == "yes  no"), "{screen}");
}

#[test]
fn a_terminal_of_any_size_is_drawn_on_and_a_code_that_is_cut_off_was_not_shown() {
    let (comparing, waiting) = (comparing(), waiting());
    for width in [0, 1, 2, 3, 8, 9, 10, 20, 40, 71, 72, 120] {
        for height in (0..9).chain([14, 16, 17, 18, 20, 24, 50]) {
            let (screen, shown) = drawn(&comparing, width, height);
            assert_eq!(shown, screen.contains("681 895"), "{width} by {height}:\n{screen}");
            drawn(&waiting, width, height);
        }
    }
    assert!(!drawn(&comparing, 10, 10).1 && drawn(&comparing, 20, 6).1);
}

#[test]
fn what_happened_last_is_seen_however_much_there_was() {
    let mut screen = waiting();
    screen
        .tell((0..2_000).map(|n| line(Tone::Plain, &format!("something happened that takes more than one row: {n}"))).collect());
    assert_eq!(screen.log.len(), LOG_MAX);
    for (width, height) in [(40, 20), (100, 30), (20, 5)] {
        assert!(drawn(&screen, width, height).0.contains("1999"), "{width} by {height}");
    }
}
