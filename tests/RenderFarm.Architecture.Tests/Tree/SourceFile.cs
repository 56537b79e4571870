using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace RenderFarm.Architecture.Tests.Tree;

/// <summary>One C# file, as lines and as a syntax tree.</summary>
internal sealed class SourceFile
{
    private readonly string _text;
    private readonly Lazy<CompilationUnitSyntax> _syntax;

    public SourceFile(string path, string text)
    {
        Path = path;
        _text = text;
        _syntax = new(() => CSharpSyntaxTree.ParseText(text).GetCompilationUnitRoot());
    }

    /// <summary>From the root of the checkout.</summary>
    public string Path { get; }

    public IReadOnlyList<string> Lines => _text.Split('\n');

    public CompilationUnitSyntax Syntax => _syntax.Value;

    /// <summary>Made by a tool, which has its own idea of a line.</summary>
    public bool IsGenerated => Path.Contains("/Migrations/", StringComparison.Ordinal);

    /// <summary>What it declares; empty for top-level statements, which nobody can use.</summary>
    public string Namespace => Declared?.Name.ToString() ?? "";

    /// <summary>The types of its namespace.</summary>
    public IEnumerable<MemberDeclarationSyntax> Declarations => Declared?.Members ?? [];

    private BaseNamespaceDeclarationSyntax? Declared => Syntax.Members.OfType<BaseNamespaceDeclarationSyntax>().FirstOrDefault();

    public static SourceFile Read(string path) => new(Repository.Relative(path), File.ReadAllText(path));

    public int LineOf(SyntaxNode node) => node.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
}
