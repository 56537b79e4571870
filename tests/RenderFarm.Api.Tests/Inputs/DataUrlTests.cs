using System.Text;
using FsCheck.Xunit;
using RenderFarm.Api.Inputs;

namespace RenderFarm.Api.Tests.Inputs;

/// <summary>Pictures in data URLs, as they stream by.</summary>
public sealed class DataUrlTests
{
    [Property(MaxTest = 300)]
    public void Open_WhatAnyClientPacked_IsTheBytes(byte[] bytes, bool escaped, bool broken)
    {
        var packed = Convert.ToBase64String(bytes, broken ? Base64FormattingOptions.InsertLineBreaks : Base64FormattingOptions.None);

        Assert.Equal(bytes, Read("data:image/png;base64," + (escaped ? Uri.EscapeDataString(packed) : packed)));
    }

    [Theory]
    [InlineData("data:image/png;base64")]
    [InlineData("data:image/png,AAAA")]
    [InlineData("")]
    public void Open_AUrlOfAnotherKind_SaysWhatIsWanted(string url) =>
        Assert.Contains(";base64,", Assert.Throws<FormatException>(() => Read(url)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("AAA")]
    [InlineData("A")]
    [InlineData("====")]
    [InlineData("AA==AAAA")]
    [InlineData("A===")]
    [InlineData("AA=A")]
    [InlineData("AA!A")]
    [InlineData("AAA%")]
    [InlineData("AAA%4")]
    [InlineData("AAAé")]
    public void Open_WhatIsNotBase64_IsAFault(string packed) =>
        Assert.Equal("holds text that is not base64", Assert.Throws<FormatException>(() => Read("data:;base64," + packed)).Message);

    private static byte[] Read(string url)
    {
        using var content = DataUrl.Open(new MemoryStream(Encoding.UTF8.GetBytes(url)));
        using var copy = new MemoryStream();
        content.CopyTo(copy);
        return copy.ToArray();
    }
}
