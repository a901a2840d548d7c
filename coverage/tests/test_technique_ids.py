"""Ids that are no technique of today each get an answer that says so."""

import pytest

from aegis.accounts.tests.factories import make_user
from catalog.models import TechniqueCrosswalk
from catalog.tests.factories import make_release, make_rule, make_technique, make_template, provenance
from coverage.models import Test
from coverage.tests.factories import make_test
from coverage.tests.test_technique_page import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.force_login(make_user())
    return client


def make_crossing(old_id: str, new_id: str, new_name: str) -> None:
    TechniqueCrosswalk.objects.create(
        old_id=old_id, new_id=new_id, new_name=new_name, old_version="18", new_version="19", **provenance("elastic")
    )


def test_lower_case_leads_to_upper_case_and_keeps_the_tab(reader):
    response = reader.get("/techniques/t9001.001?tab=detect")
    assert (response.status_code, response["Location"]) == (301, "/techniques/T9001.001?tab=detect")


def test_revoked_technique_leads_to_the_end_of_the_chain_and_says_who_names_it(reader, django_assert_max_num_queries):
    make_technique("T9003", name="The heir")
    make_technique("T9002", revoked=True, revoked_by_id="T9003")
    make_technique("T9001", name="The old one", revoked=True, revoked_by_id="T9002")
    make_rule("T9001")
    Test.objects.filter(pk=make_test("T9003", state="validated", outcome="alerted").pk).update(technique="T9001")
    with django_assert_max_num_queries(13):
        response = reader.get("/techniques/T9001")
    words = shown(response)
    assert "Revoked. ATT&amp;CK replaced it by T9003 The heir , by way of T9002" in words
    assert "1 test of the old id is kept as it stands, and proves nothing any more: test T9003 again." in words
    assert "Named by as their upstream published it 1 rule" in words
    assert 'href="/rules?technique=T9001"' in response.content.decode()


def test_revoked_technique_without_successor_says_so(reader):
    make_technique("T9001", revoked=True)
    assert "names no successor that this release has" in shown(reader.get("/techniques/T9001"))


def test_id_of_another_release_says_what_it_means_here(reader):
    make_release()
    heir = make_technique("T9001.001", name="Disable tools")
    make_technique("T9001", name="Impair")
    make_crossing("T9001", "T9500", "Disable tools")
    make_crossing("T9001.001", "T9500", "Disable tools")
    make_template("T9500", technique=heir, resolution="crosswalk")
    response = reader.get("/techniques/T9500")
    assert response.status_code == 200
    words = shown(response)
    assert "enterprise-attack 18.1 has no T9500: it is an id of another ATT&amp;CK release." in words
    assert "Here it means T9001.001 Disable tools" in words
    assert "Impair T9001 in 18 T9500 Disable tools, in 19 Disable tools" in words
    assert words.count("meant here") == 1
    assert "1 template" in words


def test_id_that_only_an_upstream_names_is_unresolved_and_not_found(reader):
    make_rule("T9700")
    response = reader.get("/techniques/T9700")
    assert response.status_code == 404
    assert "Unresolved." in shown(response)
    assert "1 rule" in shown(response)


@pytest.mark.parametrize(
    "mitre_id", ["T9999", "T99999", "NONSENSE", "T9001.0011", "%00", "T９００１", "'; DROP TABLE--"]
)
def test_id_that_nobody_knows_is_not_found_and_leads_to_the_search(reader, mitre_id):
    response = reader.get(f"/techniques/{mitre_id}", follow=True)
    assert response.status_code == 404
    page = response.content.decode()
    assert "There is no such technique" in page
    assert 'href="/techniques">Search the techniques</a>' in page
