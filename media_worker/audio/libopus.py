"""Binds the libopus which PyAV's wheel carries; PyAV itself is not imported."""

import functools
import importlib.util
from pathlib import Path
from typing import Any, Final

from cffi import FFI

# opus_defines.h; `*_ctl` requests are part of libopus' stable ABI.
APPLICATION_AUDIO: Final = 2049
SET_BITRATE: Final = 4002
SET_COMPLEXITY: Final = 4010
SET_INBAND_FEC: Final = 4012
SET_PACKET_LOSS_PERC: Final = 4014
SET_DTX: Final = 4016
SET_SIGNAL: Final = 4024
SIGNAL_VOICE: Final = 3001
SIGNAL_MUSIC: Final = 3002

ffi: Any = FFI()  # its stubs take no numpy arrays
ffi.cdef(
    """
    typedef struct OpusEncoder OpusEncoder;
    typedef struct OpusDecoder OpusDecoder;
    const char *opus_strerror(int error);
    const char *opus_get_version_string(void);
    OpusEncoder *opus_encoder_create(
        int32_t rate, int channels, int application, int *error);
    int opus_encoder_ctl(OpusEncoder *encoder, int request, ...);
    int32_t opus_encode(OpusEncoder *encoder, const int16_t *pcm, int frame_size,
        unsigned char *data, int32_t max_data_bytes);
    void opus_encoder_destroy(OpusEncoder *encoder);
    OpusDecoder *opus_decoder_create(int32_t rate, int channels, int *error);
    int opus_decoder_ctl(OpusDecoder *decoder, int request, ...);
    int opus_decode(OpusDecoder *decoder, const unsigned char *data, int32_t len,
        int16_t *pcm, int frame_size, int decode_fec);
    void opus_decoder_destroy(OpusDecoder *decoder);
    """
)


class OpusMissing(Exception):
    """No libopus stands beside the installed PyAV."""


@functools.cache
def library() -> Any:
    """
    Load libopus, once per process.

    Raises:
        OpusMissing: PyAV is not installed, or its wheel carries no libopus.
    """
    path = find_library()
    try:
        return ffi.dlopen(str(path))
    except OSError as error:
        raise OpusMissing(f"cannot load {path.name}: {error}") from error


def find_library() -> Path:
    """
    Return where PyAV's wheel keeps libopus.

    Raises:
        OpusMissing: PyAV is not installed, or its wheel carries no libopus.
    """
    spec = importlib.util.find_spec("av")
    if spec is None or spec.origin is None:
        raise OpusMissing("the package `av` (PyAV) is not installed")
    package = Path(spec.origin).parent
    # Linux wheels: av.libs beside the package; macOS wheels: .dylibs inside it.
    for folder in (package.with_name("av.libs"), package / ".dylibs"):
        found = sorted(folder.glob("libopus*"))
        if found:
            return found[0]
    raise OpusMissing("PyAV is installed, but not from a wheel that carries libopus")
