"""UDP port, ICE-lite, DTLS-SRTP, RTP and RTCP: packets in, packets out."""
