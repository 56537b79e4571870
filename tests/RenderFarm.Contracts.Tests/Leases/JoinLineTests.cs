using RenderFarm.Contracts.Leases;

namespace RenderFarm.Contracts.Tests.Leases;

public sealed class JoinLineTests
{
    private const string Digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("http://farm:8080/#rfi_1", "http://farm:8080#rfi_1")]
    [InlineData(" https://farm.example#rfi_1\n", "https://farm.example#rfi_1")]
    [InlineData($"https://10.0.0.5:8080#rfi_1.sha256={Digest}", $"https://10.0.0.5:8080#rfi_1.sha256={Digest}")]
    public void TryParse_ALine_IsReadAndWrittenAlike(string text, string line)
    {
        Assert.True(JoinLine.TryParse(text, out var read));
        Assert.Equal("rfi_1", read.Token);
        Assert.Equal(line, read.ToString());
        Assert.True(JoinLine.TryParse(read.ToString(), out var again));
        Assert.Equal(read, again);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("rfi_1")]
    [InlineData("https://farm:8080")]
    [InlineData("https://farm:8080#")]
    [InlineData("ftp://farm:8080#rfi_1")]
    [InlineData("https://farm:8080#rfi_1.sha256=0123")]
    [InlineData($"http://farm:8080#rfi_1.sha256={Digest}")]
    [InlineData($"https://farm:8080#.sha256={Digest}")]
    public void TryParse_WhatIsNoLine_IsFalse(string? text) => Assert.False(JoinLine.TryParse(text, out _));
}
