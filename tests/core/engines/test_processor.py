"""What a processor computes natively."""

import logging

import pytest

from conegrad_core.engines import processor


@pytest.fixture
def cpu_info(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "CPU_INFO", tmp_path / "cpuinfo")
    processor.processor_flags.cache_clear()
    yield tmp_path / "cpuinfo"
    processor.processor_flags.cache_clear()


def test_reads_the_instructions_of_every_core(cpu_info):
    cpu_info.write_text("processor\t: 0\nflags\t\t: fpu avx512_vnni avx512_bf16\n")
    assert processor.computes("bf16")
    assert processor.native_precision("int8") == "int8"


def test_a_processor_without_the_instructions_computes_in_fp32_and_says_so(cpu_info, caplog):
    cpu_info.write_text("flags\t\t: fpu avx2\n")
    caplog.set_level(logging.INFO)
    assert processor.native_precision("bf16") == "fp32"
    assert "does not compute in bf16" in caplog.text


def test_a_system_that_does_not_tell_gets_fp32(cpu_info):
    assert processor.native_precision("bf16") == "fp32"
