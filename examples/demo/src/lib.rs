//! The demo is a program; what stands here runs the code of the workspace's README as tests.

#![forbid(unsafe_code)]

#[doc = include_str!("../../../README.md")]
#[cfg(doctest)]
struct Readme;
