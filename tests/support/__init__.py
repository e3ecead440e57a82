"""What tests of several packages share: a real proxy process, a scriptable upstream."""
