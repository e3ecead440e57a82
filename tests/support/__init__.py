"""What tests of several packages share: a real proxy process, other programs, a scriptable upstream."""
