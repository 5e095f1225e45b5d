"""What the engine takes as a failure of consensus, found here: it would go on running and answering, dead.

Each would leave a process whose height never moves (`CONSENSUS FAILURE!!!` in its log); a process that ends is seen.
"""

from google.protobuf.message import Message

from kerege.consensus.cometbft import messages as m


class ContractBroken(Exception):
    """The application answered what no application may answer."""


_VERDICTS = (m.ResponseProcessProposal, m.ResponseVerifyVoteExtension)


def check_answer(request: Message, answer: Message, encoded_bytes: int) -> None:
    """Raise `ContractBroken` where an answer would stop the engine's consensus.

    `encoded_bytes` is the length of the encoded answer.
    """
    if isinstance(request, m.RequestFinalizeBlock) and isinstance(answer, m.ResponseFinalizeBlock):
        given, asked = len(answer.tx_results), len(request.txs)
        if given != asked:
            raise ContractBroken(f"{given} results for {asked} transactions")
    elif isinstance(request, m.RequestPrepareProposal):
        # Encoded, the answer is what the engine measures: the same field number and type as in a block's data.
        if encoded_bytes > request.max_tx_bytes:
            raise ContractBroken(f"{encoded_bytes} bytes of transactions, {request.max_tx_bytes} at most")
    elif isinstance(answer, _VERDICTS) and answer.status not in {1, 2}:
        raise ContractBroken("neither ACCEPT nor REJECT")
