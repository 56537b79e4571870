using RenderFarm.Hosting.Torch;

namespace RenderFarm.Hosting.Tests.Torch;

public sealed class LibTorchFolderTests : IDisposable
{
    private static readonly string[] ForCpu = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];
    private static readonly string[] ForCards = [.. ForCpu, "libc10_cuda.so", "libtorch_cuda.so"];
    private readonly string _root = Directory.CreateTempSubdirectory("torch-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Libraries_BuiltForCards_ComeInTheOrderTheyNeedEachOther()
    {
        var folder = LibTorchFolder.Of(Make("a/torch/lib", "2.11.0+cu130", ForCards))!;

        Assert.True(folder.HasCuda);
        Assert.Equal("2.11.0+cu130", folder.StatedVersion);
        Assert.Equal(
            ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"],
            folder.Libraries.Select(Path.GetFileName)
        );
        folder.Require();
    }

    [Fact]
    public void CudaFolders_OfAPyTorch_AreThoseBesideIt()
    {
        var folder = Make("a/torch/lib", "2.11.0", ForCards);
        Directory.CreateDirectory(Path.Combine(_root, "a/nvidia/cu13/lib"));
        Directory.CreateDirectory(Path.Combine(_root, "a/nvidia/cudnn/lib"));
        Directory.CreateDirectory(Path.Combine(_root, "a/nvidia/empty"));

        Assert.Equal(
            [Path.Combine(_root, "a/nvidia/cu13/lib"), Path.Combine(_root, "a/nvidia/cudnn/lib")],
            LibTorchFolder.Of(folder)!.CudaFolders
        );
    }

    [Fact]
    public void Among_SpreadOverTwoFolders_IsRefusedNamingBoth()
    {
        var one = Make("one", null, "libtorch_cpu.so", "libtorch.so");
        var other = Make("other", null, "libc10.so");

        var fault = Assert.Throws<LibTorchException>(() => LibTorchFolder.Among($"{other}:{one}", "TORCH_LIB"));

        Assert.Equal(
            $"TORCH_LIB would mix two libtorch: libtorch_cpu.so is in {one} and libc10.so in {other}; name one folder that has both",
            fault.Message
        );
    }

    [Fact]
    public void Among_TwoWholeOnes_TakesTheFirst()
    {
        var first = Make("first", null, ForCpu);
        var second = Make("second", null, ForCards);

        Assert.Equal(first, LibTorchFolder.Among($"/nowhere:{first}:{second}", "TORCH_LIB").Path);
    }

    [Fact]
    public void Among_None_NamesWhatWasNamed() =>
        Assert.Contains(
            "TORCH_LIB is '/nowhere'",
            Assert.Throws<LibTorchException>(() => LibTorchFolder.Among("/nowhere", "TORCH_LIB")).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Require_APartIsMissing_NamesIt()
    {
        var folder = LibTorchFolder.Of(Make("a", null, "libtorch_cpu.so", "libc10.so"))!;

        Assert.Contains("libtorch.so is missing", Assert.Throws<LibTorchException>(folder.Require).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2.9.1+cu128", true)]
    [InlineData("1.13.0", true)]
    [InlineData("2.10.0", false)]
    [InlineData("2.11.0.dev20260101+cu130", false)]
    [InlineData("3.0.0", false)]
    public void Require_StatedVersion_IsHeldAgainstTheOldest(string version, bool refused)
    {
        var folder = LibTorchFolder.Of(Make("a/torch/lib", version, ForCpu))!;

        if (refused)
        {
            var fault = Assert.Throws<LibTorchException>(folder.Require);
            Assert.Contains($"is {version}; 2.10 or newer", fault.Message, StringComparison.Ordinal);
        }
        else
        {
            folder.Require();
        }
    }

    [Theory]
    [InlineData("__version__ = '2.11.0+cu130'\ndebug = False\n", "2.11.0+cu130")]
    [InlineData("from typing import Optional\n__version__: str = \"2.12.0\"\n", "2.12.0")]
    [InlineData("debug = False\n", null)]
    public void StatedVersion_OfPython_IsWhatItsFileSays(string text, string? version)
    {
        var folder = Make("a/torch/lib", null, ForCpu);
        File.WriteAllText(Path.Combine(_root, "a/torch/version.py"), text);

        Assert.Equal(version, LibTorchFolder.Of(folder)!.StatedVersion);
    }

    private string Make(string name, string? version, params string[] files)
    {
        var folder = Path.Combine(_root, name);
        Directory.CreateDirectory(folder);
        foreach (var file in files)
        {
            File.WriteAllText(Path.Combine(folder, file), "");
        }

        if (version is not null)
        {
            File.WriteAllText(Path.Combine(folder, "..", "version.py"), $"__version__ = '{version}'\n");
        }

        return folder;
    }
}
