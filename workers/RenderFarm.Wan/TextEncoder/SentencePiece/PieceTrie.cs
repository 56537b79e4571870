namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>
/// Pieces by their UTF-8 bytes. The children of a node lie side by side in level order, so a step is one
/// vectorised search over at most 256 labels, and a vocabulary of 256,000 pieces takes a few megabytes.
/// </summary>
internal sealed class PieceTrie
{
    public const int Root = 0;
    public const int None = -1;

    private readonly byte[] _labels;
    private readonly int[] _firstChild; // One more than there are nodes, so that the next entry ends the children
    private readonly int[] _ids;

    /// <param name="pieces">Distinct, none empty.</param>
    public PieceTrie(IEnumerable<(byte[] Text, int Id)> pieces)
    {
        var sorted = pieces.ToArray();
        Array.Sort(sorted, (a, b) => a.Text.AsSpan().SequenceCompareTo(b.Text));
        var (labels, firstChild, ids) = (new List<byte> { 0 }, new List<int>(), new List<int> { None });
        // Nodes wait here, as ranges of sorted pieces that share their first bytes, to be given their children.
        var waiting = new Queue<(int Start, int End, int Depth)>();
        waiting.Enqueue((0, sorted.Length, 0));
        while (waiting.TryDequeue(out var node))
        {
            firstChild.Add(labels.Count);
            var (start, end, depth) = node;
            if (start < end && sorted[start].Text.Length == depth)
            {
                start++; // The piece that ends at this node
            }

            while (start < end)
            {
                var label = sorted[start].Text[depth];
                var next = start + 1;
                while (next < end && sorted[next].Text[depth] == label)
                {
                    next++;
                }

                labels.Add(label);
                ids.Add(sorted[start].Text.Length == depth + 1 ? sorted[start].Id : None);
                waiting.Enqueue((start, next, depth + 1));
                start = next;
            }
        }

        firstChild.Add(labels.Count);
        (_labels, _firstChild, _ids) = ([.. labels], [.. firstChild], [.. ids]);
    }

    /// <summary>The child of <paramref name="node"/> by one byte, or <see cref="None"/>.</summary>
    public int Step(int node, byte label)
    {
        var first = _firstChild[node];
        var found = _labels.AsSpan(first, _firstChild[node + 1] - first).IndexOf(label);
        return found < 0 ? None : first + found;
    }

    /// <summary>Id of the piece that ends at <paramref name="node"/>, or <see cref="None"/>.</summary>
    public int Id(int node) => _ids[node];

    /// <summary>Bytes of the longest piece that <paramref name="text"/> starts with; 0 for none.</summary>
    public int LongestPrefix(ReadOnlySpan<byte> text)
    {
        var (node, longest) = (Root, 0);
        for (var i = 0; i < text.Length; i++)
        {
            node = Step(node, text[i]);
            if (node == None)
            {
                break;
            }

            if (Id(node) != None)
            {
                longest = i + 1;
            }
        }

        return longest;
    }
}
