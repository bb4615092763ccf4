//! Does one piece of work once, in a function that valgrind counts: `once GROUP NAME`. Without arguments it says what there is.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for plan in armring_benches::all() {
        if arguments.first().is_some_and(|of| *of != plan.name) {
            continue;
        }
        let mut group = plan.set_up();
        for contender in &mut group.contenders {
            match arguments.as_slice() {
                [_, name] if *name == contender.name => {
                    // What is made once and kept is not counted.
                    (contender.run)();
                    return counted(&mut contender.run);
                }
                [_, _] => {}
                _ => println!("{}\t{}", group.name, contender.name),
            }
        }
    }
    assert!(arguments.is_empty(), "nobody does this: {arguments:?}");
}

/// Its name is what valgrind looks for.
#[inline(never)]
#[unsafe(no_mangle)]
fn armring_counted(run: &mut dyn FnMut()) {
    run();
}

fn counted(run: &mut Box<dyn FnMut()>) {
    armring_counted(run);
}
