using RenderFarm.Worker.Children;

namespace RenderFarm.Worker.Tests.Children;

/// <summary>The renderer that was built with these tests.</summary>
internal static class RendererUnderTest
{
    public static string Path
    {
        get
        {
            Assert.True(File.Exists(RendererLocator.Default), "build workers/RenderFarm.Renderer in the same configuration as the tests");
            return RendererLocator.Default;
        }
    }
}
