//! Parts of JSON documents that strangers wrote, counted as they are read.
//!
//! A document of a few megabytes can have half a million annotations, and takes twenty times its
//! size in memory. So reading ends at numbers that real documents do not reach.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The most annotations of one document or descriptor: tools write some ten.
const MAX_ANNOTATIONS: usize = 1_000;
/// The most layers that are read, which is more than are taken, so that an error says how many
/// there are.
const MAX_LAYERS_READ: usize = 1_000;

/// Takes `null` for absent. Go writes it for an empty list or map.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads annotations. Takes `null` for absent, as the map and as a value in it.
pub(crate) fn annotations<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    null_as_default(from).map(|Annotations(map)| map)
}

/// Reads layers. Takes `null` for none.
pub(crate) fn layers<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    null_as_default(from).map(|Layers(list)| list)
}

#[derive(Default)]
struct Annotations(BTreeMap<String, String>);

struct Layers<T>(Vec<T>);

impl<T> Default for Layers<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(AnnotationsVisitor)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Layers<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(LayersVisitor(PhantomData))
    }
}

struct AnnotationsVisitor;

impl<'de> Visitor<'de> for AnnotationsVisitor {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Annotations, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = from.next_entry::<String, Option<String>>()? {
            if map.len() == MAX_ANNOTATIONS {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_ANNOTATIONS} annotations"
                )));
            }
            map.extend(value.map(|value| (key, value)));
        }
        Ok(Annotations(map))
    }
}

struct LayersVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LayersVisitor<T> {
    type Value = Layers<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of layers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Layers<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(layer) = from.next_element()? {
            if list.len() == MAX_LAYERS_READ {
                return Err(A::Error::custom(format_args!("more than {MAX_LAYERS_READ} layers")));
            }
            list.push(layer);
        }
        Ok(Layers(list))
    }
}

#[cfg(test)]
mod tests {
    use crate::oci::document::Document;

    fn error(annotations: usize, layers: usize) -> Option<String> {
        let blob = format!(r#"{{"mediaType":"a","digest":"sha256:{}","size":1}}"#, "0".repeat(64));
        let annotation = |number| format!("\"{number}\":null,\"x{number}\":\"\"");
        let annotations: Vec<_> = (0..annotations).map(annotation).collect();
        let document = format!(
            r#"{{"schemaVersion":2,"config":{blob},"layers":[{}],"annotations":{{{}}}}}"#,
            vec![blob.as_str(); layers].join(","),
            annotations.join(",")
        );
        Document::parse(document.as_bytes(), None).err().map(|error| error.to_string())
    }

    /// A document with more parts than any needs is refused while it is read.
    #[test]
    fn parts_are_counted_while_read() {
        assert_eq!(error(1_000, 1_000), None);
        assert!(error(1_001, 1).is_some_and(|error| error.contains("more than 1000 annotations")));
        assert!(error(0, 1_001).is_some_and(|error| error.contains("more than 1000 layers")));
    }
}
