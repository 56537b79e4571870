using RenderFarm.Testing;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Renderers;

public sealed class InstalledPyTorchTests : IDisposable
{
    private readonly TemporaryFolder _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public void Find_ActiveEnvironment_ComesFirst()
    {
        Make("venv/lib/python3.12", "2.11.0+cu130");
        var active = Make("work/env/lib/python3.13", "2.12.0+cu130");

        var (found, _) = Search(("VIRTUAL_ENV", Path.Combine(_home.Path, "work/env"))).Find();

        Assert.Equal(active, found?.Path);
    }

    [Theory]
    [InlineData(".venv/lib/python3.11")]
    [InlineData("miniconda3/envs/video/lib/python3.12")]
    [InlineData(".pyenv/versions/3.12.4/lib/python3.12")]
    [InlineData("opt/conda/envs/video/lib/python3.13")]
    public void Find_InTheHome_LooksWherePeopleKeepThem(string place)
    {
        var folder = Make(place, "2.10.0+cu129");

        Assert.Equal(folder, Search().Find().Found?.Path);
    }

    [Fact]
    public void Find_PythonKnowsOne_TakesIt()
    {
        var folder = Make("packages/lib/python3.12", "2.11.0");
        var python = _home.File("python");
        File.WriteAllText(python, $"#!/bin/sh\necho {Path.GetDirectoryName(folder)}/__init__.py\n");
        File.SetUnixFileMode(python, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.Equal(folder, Search(("PYTHON", python)).Find().Found?.Path);
    }

    [Fact]
    public void Find_TooOldAndForTheCpu_SaysWhyEachIsNone()
    {
        Make(".venv/lib/python3.11", "2.8.0+cu128");
        Make("venv/lib/python3.11", "2.11.0+cpu", cuda: false);
        var good = Make("env/lib/python3.11", "2.11.0+cu130");

        var (found, refused) = Search().Find();

        Assert.Equal(good, found?.Path);
        Assert.Contains("2.8.0+cu128; 2.10 or newer", refused[0], StringComparison.Ordinal);
        Assert.EndsWith("is built for the CPU", refused[1], StringComparison.Ordinal);
    }

    private InstalledPyTorch Search(params (string Name, string Value)[] variables) => FakePyTorch.Search(_home.Path, variables);

    private string Make(string place, string version, bool cuda = true) =>
        FakePyTorch.Make(Path.Combine(_home.Path, place, "site-packages", "torch"), version, cuda);
}
