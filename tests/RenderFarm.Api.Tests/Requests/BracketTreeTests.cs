using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Tests.Requests;

public sealed class BracketTreeTests
{
    [Fact]
    public void ToJson_MembersInBrackets_NestAsObjects() =>
        Assert.Equal(
            """{"prompt":"a","extra":{"x":"1","deep":{"y":"2"}}}""",
            Tree(("prompt", "a"), ("extra[x]", "1"), ("extra[deep][y]", "2"))
        );

    [Fact]
    public void ToJson_EmptyBrackets_AppendToAList() =>
        Assert.Equal("""{"extra":{"y":["1","2"]}}""", Tree(("extra[y][]", "1"), ("extra[y][]", "2")));

    [Fact]
    public void ToJson_ListOfObjects_BeginsANewItemWhenAMemberRepeats() =>
        Assert.Equal(
            """{"loras":[{"name":"a","strength":"0.5"},{"name":"b"}]}""",
            Tree(("loras[][name]", "a"), ("loras[][strength]", "0.5"), ("loras[][name]", "b"))
        );

    [Fact]
    public void ToJson_IndexedItems_AreAList() =>
        Assert.Equal("""{"loras":[{"name":"a"},{"name":"b"}]}""", Tree(("loras[0][name]", "a"), ("loras[1][name]", "b")));

    [Theory]
    [InlineData("a[b")]
    [InlineData("a[b]c")]
    [InlineData("[b]")]
    public void Add_BrokenBrackets_NamesTheField(string name)
    {
        var refused = Assert.Throws<ApiErrorException>(() => Tree((name, "1")));

        Assert.Equal(("invalid_request", name), (refused.Error.Code, refused.Error.Param));
    }

    [Fact]
    public void Add_SameNameTwice_IsRefused() =>
        Assert.Contains(
            "more than once",
            Assert.Throws<ApiErrorException>(() => Tree(("prompt", "a"), ("prompt", "b"))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("plan", "plan[precision]")]
    [InlineData("plan[precision]", "plan")]
    public void Add_AFieldBothAsAWholeAndInParts_IsRefused(string first, string second) =>
        Assert.Equal(second, Assert.Throws<ApiErrorException>(() => Tree((first, "a"), (second, "b"))).Error.Param);

    private static string Tree(params (string Name, string Value)[] parts)
    {
        var tree = new BracketTree();
        foreach (var (name, value) in parts)
        {
            tree.Add(name, value);
        }

        return tree.ToJson().ToJsonString();
    }
}
