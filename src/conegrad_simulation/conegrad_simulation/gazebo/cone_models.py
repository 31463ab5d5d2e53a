"""Models of the cones: an SDF, a manifest and the meshes of body and stripes."""

from pathlib import Path
from xml.etree.ElementTree import Element

from conegrad_core.cones import ConeClass
from conegrad_simulation.gazebo.cone_shape import Colour, ConeShape, cone_shape
from conegrad_simulation.gazebo.solids import Solid
from conegrad_simulation.gazebo.wavefront import material_library, rings_to_obj
from conegrad_simulation.gazebo.xml_text import SDF_VERSION, child, document_text, sdf_document

FRICTION = 0.8  # of rubber on asphalt
CAP = 0.002  # [m], thickness of the disc that closes the body


def cone_model_name(cone_class: ConeClass) -> str:
    """Name of the model and of its folder, such as ``cone_big_orange``."""
    return f"cone_{cone_shape(cone_class).name}"


def write_cone_models(folder: Path) -> list[Path]:
    """Write one model per class below ``folder``; returns their SDF files."""
    return [_write(folder, cone_shape(cone_class)) for cone_class in ConeClass]


def cone_sdf(shape: ConeShape) -> Element:
    """The SDF document of a cone: plate and body, standing on z = 0."""
    root = sdf_document()
    model = child(root, "model", name=f"cone_{shape.name}")
    link = child(model, "link", name="cone")
    add_inertial(link, shape.solid())
    _add_collisions(link, shape)
    plate = _visual(link, "plate", shape.paint)
    _place(plate, shape.thickness / 2)
    child(_geometry(plate, "box"), "size", (shape.side, shape.side, shape.thickness))
    for part, paint in (("body", shape.paint), ("stripe", shape.stripe_paint)):
        visual = _visual(link, part, paint)
        uri = f"model://cone_{shape.name}/meshes/{part}.obj"
        child(_geometry(visual, "mesh"), "uri", uri)
    cap = _visual(link, "cap", shape.paint)
    _place(cap, shape.height - CAP / 2)
    _add_cylinder(cap, shape.top, CAP)
    return root


def add_inertial(link: Element, solid: Solid) -> None:
    """Add mass, centre and inertia to a link."""
    inertial = child(link, "inertial")
    child(inertial, "pose", (*solid.centre, 0.0, 0.0, 0.0))
    child(inertial, "mass", solid.mass)
    inertia = child(inertial, "inertia")
    for tag, moment in zip(("ixx", "iyy", "izz"), solid.moments, strict=True):
        child(inertia, tag, moment)
    for tag in ("ixy", "ixz", "iyz"):
        child(inertia, tag, 0.0)


def add_friction(collision: Element, friction: float) -> None:
    """Add friction in both directions to a collision."""
    ode = child(child(child(collision, "surface"), "friction"), "ode")
    child(ode, "mu", friction)
    child(ode, "mu2", friction)


def add_paint(visual: Element, colour: Colour) -> None:
    """Add a matt material to a visual."""
    material = child(visual, "material")
    for tag in ("ambient", "diffuse"):
        child(material, tag, (*colour, 1.0))
    child(material, "specular", (0.05, 0.05, 0.05, 1.0))


def _write(folder: Path, shape: ConeShape) -> Path:
    home = folder / f"cone_{shape.name}"
    (home / "meshes").mkdir(parents=True, exist_ok=True)
    bands = range(len(shape.levels) - 1)
    for part in ("body", "stripe"):
        chosen = [band for band in bands if (band in shape.stripes) == (part == "stripe")]
        rings = [(_ring(shape, band), _ring(shape, band + 1)) for band in chosen]
        paint = shape.paint if part == "body" else shape.stripe_paint
        (home / "meshes" / f"{part}.obj").write_text(rings_to_obj(rings, f"{part}.mtl"))
        (home / "meshes" / f"{part}.mtl").write_text(material_library(paint))
    (home / "model.config").write_text(_manifest(shape))
    path = home / "model.sdf"
    path.write_text(document_text(cone_sdf(shape)))
    return path


def _ring(shape: ConeShape, number: int) -> tuple[float, float]:
    level = shape.levels[number]
    return shape.radius(level), level


def _manifest(shape: ConeShape) -> str:
    root = Element("model")
    child(root, "name", f"cone_{shape.name}")
    child(root, "version", "1.0")
    child(root, "sdf", "model.sdf", version=SDF_VERSION)
    child(root, "description", f"{shape.name.replace('_', ' ')} traffic cone")
    return document_text(root)


def _add_collisions(link: Element, shape: ConeShape) -> None:
    """The plate, and the body as two cylinders, which physics handles faster than a mesh.

    They stand on the plate: each contact with the ground costs time, and the plate has four.
    """
    plate = child(link, "collision", name="plate")
    _place(plate, shape.thickness / 2)
    child(_geometry(plate, "box"), "size", (shape.side, shape.side, shape.thickness))
    add_friction(plate, FRICTION)
    half = shape.height / 2
    for name, low, high in (("lower", shape.thickness, half), ("upper", half, shape.height)):
        collision = child(link, "collision", name=name)
        middle = (low + high) / 2
        _place(collision, middle)
        _add_cylinder(collision, shape.radius(middle), high - low)


def _visual(link: Element, name: str, paint: Colour) -> Element:
    visual = child(link, "visual", name=name)
    add_paint(visual, paint)
    return visual


def _place(element: Element, height: float) -> None:
    child(element, "pose", (0.0, 0.0, height, 0.0, 0.0, 0.0))


def _geometry(element: Element, kind: str) -> Element:
    return child(child(element, "geometry"), kind)


def _add_cylinder(element: Element, radius: float, length: float) -> None:
    cylinder = _geometry(element, "cylinder")
    child(cylinder, "radius", radius)
    child(cylinder, "length", length)
