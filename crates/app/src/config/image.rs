//! Reads where an image is from text: a reference, or a scheme and a path.

use std::str::FromStr;

use parallax_collect::image::Reference;

use super::ImageAt;

/// The schemes of images in files.
const LAYOUT: &str = "oci:";
const ARCHIVE: &str = "docker-archive:";

impl FromStr for ImageAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let reference = |text: &str| text.parse::<Reference>().map_err(|e| format!("`{text}`: {e}"));
        if let Some(rest) = text.strip_prefix(LAYOUT) {
            let (path, tag) = split(rest)?;
            return Ok(Self::Layout(path.into(), tag.map(str::to_owned)));
        }
        if let Some(rest) = text.strip_prefix(ARCHIVE) {
            // A name may have a colon of its own: the path ends at the first.
            let (path, name) = match rest.split_once(':') {
                Some((path, name)) => (path, Some(name)),
                None => (rest, None),
            };
            split(path)?;
            return Ok(Self::Archive(path.into(), name.map(reference).transpose()?));
        }
        reference(text).map(Self::Registry)
    }
}

/// A path and a tag.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    let (path, tag) = match text.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (text, None),
    };
    if path.is_empty() {
        Err("no file is named".to_owned())
    } else {
        Ok((path, tag.filter(|t| !t.is_empty())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match text.parse::<ImageAt>() {
            Ok(ImageAt::Registry(reference)) => format!("registry {reference}"),
            Ok(ImageAt::Layout(path, tag)) => {
                format!("layout {} {}", path.display(), tag.unwrap_or_default())
            }
            Ok(ImageAt::Archive(path, name)) => {
                format!("archive {} {}", path.display(), name.map(|n| n.to_string()).unwrap_or_default())
            }
            Err(why) => why,
        };
        assert_eq!(told.trim_end(), expected);
    }

    #[test]
    fn where_images_are() {
        check("node:20", "registry node:20");
        check("localhost:5000/a:1", "registry localhost:5000/a:1");
        check("oci:out", "layout out");
        check("oci:./a:b/out:1.2", "layout ./a:b/out 1.2");
        check("oci:", "no file is named");
        check("docker-archive:app.tar", "archive app.tar");
        check("docker-archive:/a/app.tar:team/app:1", "archive /a/app.tar team/app:1");
        check("docker-archive::x", "no file is named");
        check("Node", "`Node`: the name of the image holds what no repository's name may hold");
        check("", "``: an image reference is empty");
    }
}
