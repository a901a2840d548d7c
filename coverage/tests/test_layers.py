"""Uploaded layers, on pages and in the API: who sees them, what they mark, what is refused."""

import json
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from mitreattack.navlayers import Layer as PublicLayer

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.models import TechniqueCrosswalk
from catalog.resolution import Resolver
from catalog.tests.factories import make_release, make_tactic, make_technique, provenance
from coverage.models import Layer, LayerTechnique, SavedView
from coverage.services.layers import resolve_layers, upload_layer

TECHNIQUES = [
    {"techniqueID": "T1059", "score": 3, "comment": "<script>alert(1)</script>"},
    {"techniqueID": "T1086", "score": 1},
    {"techniqueID": "T6666", "score": 1},
]


@pytest.fixture
def tech(db):
    """A red tech, over two techniques, of which one revoked a third."""
    make_release("18.1")
    make_tactic("execution")
    make_technique("T1059", name="Script Interpreter")
    make_technique("T1059.001", name="Blue Shell")
    make_technique("T1086", name="Old Shell", revoked=True, revoked_by_id="T1059.001")
    return make_user("red_tech")


def content(**changes) -> bytes:
    head = {"name": "Mine <b>", "domain": "enterprise-attack", "versions": {"layer": "4.5", "attack": "17"}}
    return json.dumps(head | {"techniques": TECHNIQUES} | changes).encode()


def file(**changes) -> SimpleUploadedFile:
    return SimpleUploadedFile("layer.json", content(**changes), "application/json")


def kept(by, **fields) -> Layer:
    return upload_layer(by=by, file=BytesIO(content()), **fields)


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_upload_resolves_ids_and_leaves_a_trace(tech):
    answer = logged_in(tech).post("/layers/new", {"file": file(), "purpose": "profile", "is_shared": "on"})
    layer = Layer.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/layers/{layer.pk}")
    assert (layer.name, layer.purpose, layer.is_shared, layer.layer_version) == ("Mine <b>", "profile", True, "4.5")
    assert [(row.published_id, row.technique_id, row.resolution, row.score) for row in layer.techniques.all()] == [
        ("T1059", "T1059", "exact", 3.0),
        ("T1086", "T1059.001", "revoked-by", 1.0),
        ("T6666", None, "unresolved", 1.0),
    ]
    row = AuditLog.objects.get(action="layer.uploaded")
    assert (row.actor_name, row.object_label, row.after["techniques"]) == (tech.username, "Mine <b>", 3)


def test_texts_of_a_layer_are_printed_as_text(tech):
    layer = kept(tech)
    for path in (f"/layers/{layer.pk}", "/layers", f"/matrix?layer={layer.pk}&view=table", f"/matrix?layer={layer.pk}"):
        page = logged_in(tech).get(path).content.decode()
        assert "Mine &lt;b&gt;" in page
        assert "<script>alert" not in page
        assert "Mine <b>" not in page


def test_layer_lies_over_the_matrix(tech):
    layer = kept(tech)
    page = logged_in(tech).get(f"/matrix?layer={layer.pk}").content.decode()
    assert "in layer Mine &lt;b&gt; (score 3: &lt;script&gt;alert(1)&lt;/script&gt;)" in page
    assert "2 techniques, 0 claimed" in page


def test_page_of_a_layer_shows_what_did_not_resolve(tech):
    layer = kept(tech)
    page = logged_in(tech).get(f"/layers/{layer.pk}").content.decode()
    assert "1 id not in the release that Aegis holds" in page
    assert "by revoked-by" in page


def test_layer_that_is_not_shared_is_seen_by_its_uploader_alone(tech):
    layer, other = kept(tech), make_user("admin")
    for path in (f"/layers/{layer.pk}", f"/campaigns/new?layer={layer.pk}"):
        assert logged_in(other).get(path).status_code == 404
    assert "Mine" not in logged_in(other).get(f"/matrix?layer={layer.pk}").content.decode()
    assert bearer(other).get(f"/api/v1/layers/{layer.pk}").status_code == 404
    assert bearer(other).get("/api/v1/layers").json()["count"] == 0
    Layer.objects.update(is_shared=True)
    assert bearer(other).get("/api/v1/layers").json()["count"] == 1


def test_viewer_reads_shared_layers_and_uploads_none(tech):
    layer, viewer = kept(tech, is_shared=True), make_user("viewer")
    assert logged_in(viewer).get(f"/layers/{layer.pk}").status_code == 200
    assert logged_in(viewer).post("/layers/new", {"file": file()}).status_code == 403
    assert bearer(viewer).post("/api/v1/layers", {"file": file()}).status_code == 403
    assert logged_in(viewer).post(f"/layers/{layer.pk}/delete").status_code == 403
    assert Layer.objects.count() == 1


def test_uploader_and_admins_delete_others_do_not(tech):
    layer = kept(tech, is_shared=True)
    assert logged_in(make_user("blue_tech")).post(f"/layers/{layer.pk}/delete").status_code == 403
    assert bearer(make_user("red_lead")).delete(f"/api/v1/layers/{layer.pk}").status_code == 403
    assert bearer(make_user("admin")).delete(f"/api/v1/layers/{layer.pk}").status_code == 204
    assert (Layer.objects.count(), LayerTechnique.objects.count()) == (0, 0)
    assert AuditLog.objects.get(action="layer.deleted").before["name"] == "Mine <b>"
    again = kept(tech)
    assert logged_in(tech).post(f"/layers/{again.pk}/delete").status_code == 302


def test_layer_of_another_domain_is_refused_with_the_reason(tech):
    page = logged_in(tech).post("/layers/new", {"file": file(domain="mobile-attack"), "purpose": "overlay"})
    assert page.status_code == 400
    assert "The layer is about mobile-attack; Aegis holds enterprise-attack alone." in page.content.decode()
    answer = bearer(tech).post("/api/v1/layers", {"file": file(versions={"layer": "3.0"})})
    assert answer.status_code == 400
    assert answer.json()["errors"]["file"][0].startswith("The layer has format version 3.0; Aegis reads 4.0 to 4.5.")


class Unread(BytesIO):
    """A body of which nothing may be read."""

    def read(self, *args):
        raise AssertionError("the body was read")


@pytest.mark.parametrize("path", ["/layers/new", "/api/v1/layers"])
def test_fifty_megabytes_are_refused_before_anything_is_read(tech, path):
    client = logged_in(tech) if path.startswith("/layers") else bearer(tech)
    answer = client.generic(
        "POST",
        path,
        b"",
        "multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": str(50_000_000), "wsgi.input": Unread()},
    )
    assert answer.status_code == 413
    assert "10 MB" in answer.content.decode()


def test_form_without_a_token_is_refused(tech):
    client = Client(enforce_csrf_checks=True)
    client.force_login(tech)
    assert client.post("/layers/new", {"file": file(), "purpose": "overlay"}).status_code == 403
    assert Layer.objects.count() == 0


def test_api_uploads_lists_and_tells(tech):
    client = bearer(tech)
    made = client.post("/api/v1/layers", {"file": file(), "name": "Named", "purpose": "profile"})
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("name", "purpose", "named", "marked", "unresolved", "is_shared")} == {
        "name": "Named",
        "purpose": "profile",
        "named": 3,
        "marked": 2,
        "unresolved": 1,
        "is_shared": False,
    }
    told = client.get(f"/api/v1/layers/{made.json()['id']}").json()
    assert told["techniques"][1] == {
        "published_id": "T1086",
        "mitre_id": "T1059.001",
        "resolution": "revoked-by",
        "score": 1.0,
        "comment": "",
        "marks": True,
    }


def test_profile_becomes_the_plan_of_a_campaign(tech):
    page = logged_in(tech).get(f"/campaigns/new?layer={kept(tech).pk}").content.decode()
    assert "T1059 T1059.001" in page


def test_ids_are_resolved_again_when_the_catalogue_learns_them(tech):
    kept(tech)
    assert resolve_layers() == 0
    TechniqueCrosswalk.objects.create(
        old_version="17.1", new_version="18.1", old_id="T6666", new_id="T1059", new_name="x", **provenance("attack")
    )
    assert resolve_layers(Resolver.load()) == 1
    assert LayerTechnique.objects.get(published_id="T6666").technique_id == "T1059"


def test_exported_layer_is_read_by_the_public_library_and_by_us(tech):
    answer = bearer(tech).get("/api/v1/layers/coverage.json?subs=all")
    ours = answer.json()
    theirs = PublicLayer()
    theirs.from_dict(answer.json())
    assert theirs.to_dict() == ours
    assert [entry["techniqueID"] for entry in ours["techniques"]] == ["T1059.001", "T1059"]
    assert logged_in(tech).get("/matrix.json?subs=all").json()["techniques"] == ours["techniques"]
    assert bearer(tech).get("/api/v1/layers/coverage.json?actr=G1").status_code == 400
    assert upload_layer(by=tech, file=BytesIO(answer.content)).techniques.count() == 2


def test_views_are_saved_renamed_and_deleted_by_their_owner_alone(tech):
    client, other = logged_in(tech), logged_in(make_user("viewer"))
    saved = client.post("/matrix/views/save", {"name": " Windows ", "query": "?platform=Windows&actor=G1&actor=G2"})
    view = SavedView.objects.get()
    assert (saved["Location"], view.name) == ("/matrix?platform=Windows&actor=G1&actor=G2", "Windows")
    assert '<a class="clip" href="/matrix?platform=Windows&amp;actor=G1&amp;actor=G2">Windows</a>' in (
        client.get("/matrix").content.decode()
    )
    assert "Windows</a>" not in other.get("/matrix/views").content.decode()
    for verb in ("rename", "delete"):
        assert other.post(f"/matrix/views/{view.pk}/{verb}", {"name": "x"}).status_code == 404
    client.post(f"/matrix/views/{view.pk}/rename", {"name": "Clients"})
    assert SavedView.objects.get().name == "Clients"
    client.post(f"/matrix/views/{view.pk}/delete")
    assert not SavedView.objects.exists()
    assert list(
        AuditLog.objects.filter(action__startswith="view.").order_by("id").values_list("action", flat=True)
    ) == [
        "view.saved",
        "view.renamed",
        "view.deleted",
    ]


def test_view_of_a_name_that_stands_is_replaced_and_a_nameless_one_refused(tech):
    client = logged_in(tech)
    for query in ("?subs=all", "?subs=annotated"):
        client.post("/matrix/views/save", {"name": "Mine", "query": query})
    assert SavedView.objects.get().query == "subs=annotated"
    client.post("/matrix/views/save", {"name": "Other", "query": ""})
    refused = client.post(
        f"/matrix/views/{SavedView.objects.get(name='Other').pk}/rename", {"name": "Mine"}, follow=True
    )
    assert "You have a view of this name already." in refused.content.decode()
    refused = client.post("/matrix/views/save", {"name": "", "query": ""}, follow=True)
    assert "Not saved" in refused.content.decode()
    assert SavedView.objects.count() == 2
