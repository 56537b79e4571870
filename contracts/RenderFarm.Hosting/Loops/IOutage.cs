namespace RenderFarm.Hosting.Loops;

/// <summary>An exception that tells of something outside which is not to be had just now. Its cause is enough; no stack is.</summary>
public interface IOutage
{
    string Cause { get; }
}
