//! A QR code in a picture.

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use image::{ImageReader, Limits};

/// Pictures larger than this, in pixels a side, are not read: one picks the file, and perhaps not who made it.
const SIDE_MAX: u32 = 8192;
/// How much memory a picture may take, in bytes.
const MEMORY_MAX: u64 = 256 << 20;

/// The text of the one QR code in a picture (PNG or JPEG).
///
/// # Errors
/// There is none, or more than one, or it is no picture. The error says what to do.
pub fn read(path: &Path) -> Result<String> {
    let mut reader = ImageReader::open(path).context("it cannot be opened")?.with_guessed_format()?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(SIDE_MAX), Some(SIDE_MAX), Some(MEMORY_MAX));
    reader.limits(limits);
    // What `image` says has its causes in it already.
    let decoded = reader.decode().map_err(|error| anyhow!("it is no PNG or JPEG picture of a bearable size: {error}"));
    let picture = decoded?.into_luma8();
    let shade = |x, y| {
        let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        place.and_then(|(x, y)| picture.get_pixel_checked(x, y)).map_or(u8::MAX, |pixel| pixel.0[0])
    };
    let size = (usize::try_from(picture.width())?, usize::try_from(picture.height())?);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(size.0, size.1, shade);
    let mut texts: Vec<String> = prepared.detect_grids().iter().filter_map(|grid| Some(grid.decode().ok()?.1)).collect();
    texts.sort();
    texts.dedup();
    ensure!(texts.len() <= 1, "there are several QR codes in it: cut out the one that is meant");
    texts.pop().context("no QR code can be read in it: take it straight, sharp, and with its white margin")
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};
    use qrcode::QrCode;

    use super::*;

    /// The longest URI there is fits a code, and is read from its picture.
    #[test]
    fn the_longest_uri_is_read_from_a_picture_and_what_is_none_is_named() {
        let folder = std::env::temp_dir().join(format!("armring-picture-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let uri = format!("armring:pay/1/{}", "A0b_".repeat(armring_wire::uri::PaymentUri::MAX_LEN / 4 - 3));
        let picture = QrCode::new(&uri).expect("it fits").render::<Luma<u8>>().module_dimensions(4, 4).build();
        let path = folder.join("shop.png");
        picture.save(&path).expect("saved");
        assert_eq!(read(&path).expect("a code"), uri);
        let wide = GrayImage::from_fn(picture.width() * 2, picture.height(), |x, y| *picture.get_pixel(x % picture.width(), y));
        let other = QrCode::new("armring:pair/1/AA").expect("it fits").render::<Luma<u8>>().module_dimensions(4, 4).build();
        let mut two = GrayImage::from_pixel(wide.width() + other.width(), wide.height(), Luma([255]));
        image::imageops::overlay(&mut two, &picture, 0, 0);
        image::imageops::overlay(&mut two, &other, i64::from(picture.width()) + 40, 0);
        let said = |name: &str| format!("{:#}", read(&folder.join(name)).expect_err(name));
        two.save(folder.join("two.png")).expect("saved");
        assert!(said("two.png").contains("several QR codes"));
        GrayImage::from_pixel(50, 50, Luma([255])).save(folder.join("white.png")).expect("saved");
        assert!(said("white.png").contains("no QR code can be read"));
        std::fs::write(folder.join("thesis.png"), "years of work").expect("written");
        let thesis = said("thesis.png");
        assert!(thesis.contains("no PNG or JPEG"));
        assert_eq!(thesis.matches("signature").count(), 1, "its cause, once: {thesis}");
        assert!(said("nothing.png").contains("cannot be opened"));
        GrayImage::from_pixel(1, SIDE_MAX + 1, Luma([255])).save(folder.join("high.png")).expect("saved");
        assert!(said("high.png").contains("bearable size"));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
